import os
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from taskctl.program import program
from tests.taskctl.conftest import TASKCTL


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_taskctl(shell):
    result = CliRunner().invoke(program, ["completion", shell])
    assert result.exit_code == 0
    assert "_TASKCTL_COMPLETE" in result.stdout
    if shell_program := shutil.which(shell):
        subprocess.run([shell_program, "-n"], input=result.stdout.encode(), check=True)


def test_bash_completes_commands_and_options():
    for words, expected in (("taskctl im", "import"), ("taskctl create --ta", "--tag")):
        environment = {
            **os.environ,
            "_TASKCTL_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        }
        result = subprocess.run([TASKCTL], env=environment, capture_output=True, check=True)
        assert result.stdout.decode() == f"plain,{expected}\n"
