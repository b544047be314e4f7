"""What both services need to run, and nothing of what either does.

`settings` reads options and environment, `serving` listens and drains, `health`
watches the store, `answers` turns errors into statuses.
"""

from servicekit.answers import AnsweringTaskService, InvalidRequest, ServedElsewhere, answer_to
from servicekit.serving import run, serve
from servicekit.settings import COMMAND_PORT, QUERY_PORT, Settings, settings_options

__all__ = [
    "COMMAND_PORT",
    "QUERY_PORT",
    "AnsweringTaskService",
    "InvalidRequest",
    "ServedElsewhere",
    "Settings",
    "answer_to",
    "run",
    "serve",
    "settings_options",
]
