"""h2spec, the conformance tool for HTTP/2, against a live server: every case."""

import shutil
import subprocess

import pytest
from wirescript.server_process import running


@pytest.mark.long
def test_every_case_of_h2spec_passes(require_tool):
    if shutil.which("go") is None and shutil.which("h2spec") is None:
        pytest.skip("no Go to install h2spec with: its cases run re-expressed only")
    tool = require_tool("h2spec")
    with running() as process:
        done = subprocess.run(
            [tool, "--strict", "--timeout", "2", "-h", "127.0.0.1", "-p", str(process.port)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stdout
    assert " 0 skipped, 0 failed" in done.stdout
