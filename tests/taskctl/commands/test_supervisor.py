import asyncio
import os

import pytest

from taskctl.commands.supervisor import Child, run_services
from taskctl.exit_code import ExitCode


def ending_with(code):
    return Child(f"ends-{code}", ("sh", "-c", f"exit {code}"), os.environ)


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize(("code", "expected"), [(2, ExitCode.REFUSED), (1, ExitCode.FAILED)])
def test_each_childs_exit_code_counts_however_close_together_they_end(code, expected, times, capfd):
    children = [ending_with(code), ending_with(code)]
    assert {asyncio.run(run_services(children)) for _ in range(times)} == {expected}
    assert "code 255" not in capfd.readouterr().err  # what asyncio takes an unknown one for
