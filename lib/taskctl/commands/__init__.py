"""The verbs of the command line, one module each.

A module holds its verb's click command and nothing of another verb. What only
one verb needs stands beside it: `import_source` reads the input of
`import_tasks`, `atomic_file` is the output of `export`, and `serve` runs its
services by `supervisor` in the terminal's `foreground`.
"""
