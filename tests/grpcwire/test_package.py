"""What the package promises about itself."""

import ast
import re
from pathlib import Path

import pytest

import grpcwire
from grpcwire.http2.errors import ConnectionFault, ErrorCode, StreamFault, WireFault

PACKAGE = Path(grpcwire.__file__).parent
MODULES = [path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"]
CORE = [path for path in MODULES if path.parent.name == "http2"]
NOT_IN_THE_CORE = {"asyncio", "time", "socket", "ssl", "logging", "threading", "grpclib"}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_knows_no_loop_clock_socket_or_logging(path):
    assert not {name.partition(".")[0] for name in imported(path)} & NOT_IN_THE_CORE
    source = ast.parse(path.read_text())
    assert not [node for node in ast.walk(source) if isinstance(node, ast.AsyncFunctionDef)]


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_imports_nothing_of_the_engine_but_limits_and_counters(path):
    own = {name for name in imported(path) if name.startswith("grpcwire.")}
    outside = {name for name in own if not name.startswith("grpcwire.http2")}
    assert outside <= {"grpcwire.limits", "grpcwire.counters"}


def test_the_map_names_the_modules_of_the_way():
    aside = {"limits", "counters", "errors", "frames", "events", "settings", "hpack_encoder"}
    aside |= {"engine", "metadata", "peer"}
    for path in MODULES:
        named = re.search(rf"^ +{path.stem}\b", grpcwire.__doc__ or "", re.MULTILINE)
        assert named or path.stem in aside, path.stem


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_module_opens_with_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_faults_carry_their_wire_codes_on_their_classes():
    families = [ConnectionFault, StreamFault]
    for family in families:
        for fault in [family, *family.__subclasses__()]:
            assert isinstance(fault.code, ErrorCode)
            assert issubclass(fault, WireFault)
    assert not issubclass(ConnectionFault, StreamFault)
