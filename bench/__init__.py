"""Side-by-side measurements of the task service and its peers: `python -m bench`."""
