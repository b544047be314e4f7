import json
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys, warnings
from servicekit.logs import configure_logging

configure_logging(sys.argv[1], "info")

def connect(password):
    try:
        raise ValueError("refused")
    except ValueError:
        logging.getLogger("driver").exception("cannot connect")

connect("hunter" + str(2))
warnings.warn("outdated")
"""


def logged(log_format):
    command = [sys.executable, "-c", PROGRAM, log_format]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_is_told_without_the_values_of_its_variables(log_format):
    log = logged(log_format)
    assert "refused" in log
    assert "hunter2" not in log


def test_every_line_is_json_warnings_too():
    events = [json.loads(line)["event"] for line in logged("json").splitlines()]
    assert events[0] == "cannot connect"
    assert "outdated" in events[1]
