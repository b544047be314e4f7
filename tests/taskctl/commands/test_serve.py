import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taskctl.commands import serve as serve_module
from tests.processes import eventually
from tests.taskctl.conftest import TASKCTL
from tests.taskctl.terminal import Terminal

READY = re.compile(r"(command|query) listening on (\S+:\d+)")


@pytest.fixture
def serve(start, tmp_path):
    """Both services, started by `taskctl serve` on free ports: (process, addresses)."""

    def both(*options):
        url = f"sqlite:///{tmp_path / 'tasks.db'}"
        process = start(
            *("serve", "--command-port", "0", "--query-port", "0", "--database", url, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = [process.stdout.readline() for _ in range(2)]
        addresses = dict(READY.findall("".join(lines)))
        if addresses.keys() != {"command", "query"}:
            process.terminate()
            pytest.fail(f"not ready: {lines}, {process.communicate()}")
        return process, addresses

    return both


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_both_halves_serve_one_database(serve):
    _, addresses = serve()
    create = [TASKCTL, "create", "buy milk", "--command", addresses["command"]]
    get = [TASKCTL, "get", "1", "--query", addresses["query"]]
    created = subprocess.run(create, capture_output=True, check=True)
    assert subprocess.run(get, capture_output=True, check=True).stdout == created.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_both_and_ends_with_0(serve, number):
    process, _ = serve()
    pids = children(process.pid)
    assert len(pids) == 2
    process.send_signal(number)
    assert process.wait(20) == 0
    assert not any(map(runs, pids))
    assert process.stderr.read().count('"stopped"') == 2


def test_under_nohup_and_without_input_both_outlive_the_terminal(tmp_path):
    arguments = ("serve", "--command-port", "0", "--query-port", "0")
    arguments += ("--database", f"sqlite:///{tmp_path / 'tasks.db'}")
    pipe = subprocess.PIPE
    ignoring = "trap '' HUP; exec \"$@\" <&-"
    command = ["sh", "-c", ignoring, "sh", str(TASKCTL), *arguments]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        for _ in range(2):
            assert READY.match(process.stdout.readline())
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.parametrize("index", [0, 1])
def test_one_that_ends_by_itself_stops_the_other(serve, index):
    process, _ = serve()
    pids = children(process.pid)
    os.kill(pids[index], signal.SIGKILL)
    assert process.wait(20) == 1
    assert not any(map(runs, pids))
    name = ("command", "query")[index]
    expected = f"taskctl: {name} ended by itself (SIGKILL), so the other was stopped\n"
    assert expected in process.stderr.read()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of our death")
def test_the_services_do_not_outlive_taskctl_that_is_killed(serve):
    process, _ = serve()
    pids = children(process.pid)
    process.kill()
    eventually(lambda: not any(map(runs, pids)), within_s=15)


def test_an_option_that_the_services_refuse_is_exit_code_2(start):
    process = start("serve", "--log-level", "loudly", stderr=subprocess.PIPE, text=True)
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "'--log-level'" in errors


def test_ports_in_the_environment_of_one_service_do_not_reach_both(serve, monkeypatch):
    monkeypatch.setenv("TASK_PORT", "1")
    _, addresses = serve()
    assert len({address.rpartition(":")[2] for address in addresses.values()} - {"1"}) == 2


def test_a_module_in_the_working_folder_is_not_taken_for_a_service(serve, tmp_path, monkeypatch):
    (tmp_path / "command.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    assert serve()[1].keys() == {"command", "query"}


@pytest.mark.parametrize(
    ("host", "command_port", "named"),
    [
        (None, 8081, ("localhost:8081", "localhost:8082")),
        ("127.0.0.1", 9000, ("127.0.0.1:9000", "127.0.0.1:8082")),
        ("::1", 9000, ("[::1]:9000", "[::1]:8082")),
        ("0.0.0.0", 8081, ("localhost:8081", "localhost:8082")),  # noqa: S104 - only named
        (None, 0, (None, "localhost:8082")),
    ],
)
def test_each_half_learns_where_the_other_is(host, command_port, named, monkeypatch):
    monkeypatch.setenv("TASK_COMMAND", "elsewhere:1")
    environment = serve_module._environment(host, command_port, 8082)
    assert (environment.get("TASK_COMMAND"), environment.get("TASK_QUERY")) == named


@pytest.fixture
def makefile(tmp_path):
    path = tmp_path / "Makefile"
    url = f"sqlite:///{tmp_path / 'tasks.db'}"
    path.write_text(
        f"serve:\n\t@{TASKCTL} serve --command-port 0 --query-port 0 --database {url}\n"
        "\t@echo the rule went on\n"
    )
    return path


def test_ctrl_c_under_make_stops_both_and_make_ends_with_0(makefile, require_tool):
    with Terminal(require_tool("make"), "--file", makefile, "serve") as terminal:
        for name in ("command", "query"):
            terminal.wait_for(f"{name} listening on")
        terminal.press(b"\x03")
        terminal.wait_for("the rule went on")
        assert terminal.wait() == 0
    assert terminal.shown.count("stopped") == 2
    assert "Error" not in terminal.shown


def test_ctrl_c_without_make_works_as_well(tmp_path):
    url = f"sqlite:///{tmp_path / 'tasks.db'}"
    arguments = (TASKCTL, "serve", "--command-port", "0", "--query-port", "0", "--database", url)
    with Terminal(*arguments) as terminal:
        for name in ("command", "query"):
            terminal.wait_for(f"{name} listening on")
        terminal.press(b"\x03")
        assert terminal.wait() == 0


def test_the_terminal_is_given_back_to_the_starter(makefile, require_tool):
    """After the rule, a shell of the same job reads from the terminal again."""
    script = f"{require_tool('make')} --file {makefile} serve; read line; echo got $line"
    with Terminal("sh", "-c", script) as terminal:
        terminal.wait_for("query listening on")
        terminal.wait_for("command listening on")
        terminal.press(b"\x03")
        terminal.wait_for("the rule went on")
        terminal.press(b"typed\n")
        terminal.wait_for("got typed")
        assert terminal.wait() == 0


def test_ctrl_z_under_make_suspends_nothing(makefile, require_tool):
    with Terminal(require_tool("make"), "--file", makefile, "serve") as terminal:
        terminal.wait_for("query listening on")
        terminal.wait_for("command listening on")
        terminal.press(b"\x1a")
        time.sleep(0.1)  # nothing shows that nothing happens
        terminal.press(b"\x03")
        assert terminal.wait() == 0
