"""`python -m query`: the read service."""

from query.service import QueryService
from servicekit import QUERY_PORT, Settings, run, serve, settings_options
from taskstore import open_reader


@settings_options(default_port=QUERY_PORT)
def main(settings: Settings) -> None:
    """Serve the reads of task.TaskService."""
    run("query", settings, service, side="reader")


async def service(settings: Settings) -> None:
    """Open the reader, serve until told to stop, close it."""
    reader = await open_reader(settings.database)
    try:
        await serve("query", QueryService(reader, settings.command), settings, reader.check)
    finally:
        await reader.close()


if __name__ == "__main__":
    main(prog_name="python -m query")
