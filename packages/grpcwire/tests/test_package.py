"""The package's promises about itself: storeys, sans-I/O cores, maps, docstrings."""

import ast
import re
from pathlib import Path

import pytest

import grpcwire
from grpcwire.http2.errors import ErrorCode, Http2ConnectionError, Http2Error, Http2StreamError

PACKAGE = Path(grpcwire.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
FOLDERS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
CORE = [path for path in MODULES if path.parent.name in ("http", "http1", "http2")]
NOT_IN_THE_CORE = {"asyncio", "time", "socket", "ssl", "logging", "threading", "grpclib"}
# A storey and those it may stand on; what stands in no folder is a storey of its own.
STANDS_ON = {
    "limits": set(),
    "counters": set(),
    "http": {"limits", "counters"},
    "http1": {"http", "limits", "counters"},
    "http2": {"http", "limits", "counters"},
    "calls": {"http", "limits", "counters"},
    "protocols": {"calls", "http2", "http1", "http", "limits", "counters"},
    "transport": {"protocols", "calls", "http2", "http1", "http", "limits", "counters"},
    "server": {"transport", "protocols", "calls", "limits", "counters"},
    "reflection": set(),
}
OTHER_ROOMS = {"protowire", "taskpb", "taskstore", "servicekit", "taskctl", "command", "query"}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            names.add(node.module or "")
    return names


def storey(name: str) -> str:
    return name.removeprefix("grpcwire.").partition(".")[0]


def identify(path: Path) -> str:
    return str(path.relative_to(PACKAGE).with_suffix(""))


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_a_storey_imports_only_what_it_stands_on(path):
    own = storey(identify(path).replace("/", "."))
    below = {storey(name) for name in imported(path) if name.startswith("grpcwire")}
    assert below - {own} <= STANDS_ON[own]


def test_the_storeys_have_no_cycle():
    order: list[str] = []
    while len(order) < len(STANDS_ON):
        free = [name for name in STANDS_ON if name not in order and STANDS_ON[name] <= {*order}]
        assert free, f"a cycle among {STANDS_ON.keys() - {*order}}"
        order += free


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_modules_have_no_cycle(path):
    pending, seen = [path], set()
    while pending:
        for name in imported(pending.pop()):
            module = PACKAGE.parent / (name.replace(".", "/") + ".py")
            assert module != path, f"{identify(path)} imports itself"
            if name.startswith("grpcwire.") and module.exists() and module not in seen:
                seen.add(module)
                pending.append(module)


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_nothing_of_the_project_around_it_is_imported(path):
    assert not {name.partition(".")[0] for name in imported(path)} & OTHER_ROOMS


@pytest.mark.parametrize("path", CORE, ids=identify)
def test_the_cores_know_no_loop_clock_socket_or_logging(path):
    assert not {name.partition(".")[0] for name in imported(path)} & NOT_IN_THE_CORE
    source = ast.parse(path.read_text())
    assert not [node for node in ast.walk(source) if isinstance(node, ast.AsyncFunctionDef)]


def test_the_map_names_every_folder():
    for folder in FOLDERS:
        assert re.search(rf"^ *{folder.name}/ ", grpcwire.__doc__ or "", re.MULTILINE), folder.name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folders_map_names_its_modules_and_no_others(folder):
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    named = set(re.findall(r"^ *(\w+)  ", text, re.MULTILINE))
    assert named == {path.stem for path in folder.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_every_module_opens_with_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_errors_carry_their_wire_codes_on_their_classes():
    families = [Http2ConnectionError, Http2StreamError]
    for family in families:
        for error in [family, *family.__subclasses__()]:
            assert isinstance(error.code, ErrorCode)
            assert issubclass(error, Http2Error)
    assert not issubclass(Http2ConnectionError, Http2StreamError)
