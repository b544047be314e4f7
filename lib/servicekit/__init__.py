"""Running a service: everything both need for that, and nothing of what either does.

`settings` reads options and environment, `serving` listens and drains, `workers`
spreads a service over processes, `health` watches the store, `answers` turns
errors into statuses.
"""

from servicekit.answers import AnsweringTaskService, InvalidRequest, ServedElsewhere, answer_to
from servicekit.serving import run, serve
from servicekit.settings import Settings, settings_options
from taskpb.channel import COMMAND_PORT, QUERY_PORT

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
