"""`taskctl completion`: the script that teaches a shell our commands and options."""

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes taskctl's commands and options with Tab.

    \b
    bash: put this line into ~/.bashrc
        eval "$(taskctl completion bash)"
    zsh: put this line into ~/.zshrc
        eval "$(taskctl completion zsh)"
    fish: run once
        taskctl completion fish > ~/.config/fish/completions/taskctl.fish
    """  # noqa: D301 - click's mark for a paragraph to leave as it is
    completer = get_completion_class(shell)
    assert completer is not None  # noqa: S101 - the argument's choices are click's
    program = ctx.find_root().command
    click.echo(completer(program, {}, "taskctl", "_TASKCTL_COMPLETE").source())
