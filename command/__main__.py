"""`python -m command`: the write service."""

from command.service import CommandService
from servicekit import COMMAND_PORT, Settings, run, serve, settings_options
from taskstore import open_writer


@settings_options(default_port=COMMAND_PORT)
def main(settings: Settings) -> None:
    """Serve the writes of task.TaskService."""
    run("command", settings, service, side="writer")


async def service(settings: Settings) -> None:
    """Open the writer, serve until told to stop, close it."""
    writer = await open_writer(settings.database)
    try:
        await serve("command", CommandService(writer, settings.query), settings, writer.check)
    finally:
        await writer.close()


if __name__ == "__main__":
    main(prog_name="python -m command")
