"""The invariants of the tree: who may import whom, public names, sizes."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {
    "protowire": "packages/protowire/src/protowire",
    "grpcwire": "packages/grpcwire/src/grpcwire",
    "taskstore": "lib/taskstore",
    "taskpb": "lib/taskpb",
    "servicekit": "lib/servicekit",
    "taskctl": "lib/taskctl",
    "command": "command",
    "query": "query",
}
# Who may import whom: the arrows of docs/design.md, "The rooms".
MAY_IMPORT = {
    "protowire": set(),
    "grpcwire": set(),
    "taskstore": {"protowire"},
    "taskpb": {"protowire", "grpcwire"},
    "servicekit": {"taskstore", "taskpb", "grpcwire", "protowire"},
    "taskctl": {"taskpb", "servicekit", "taskstore", "grpcwire", "protowire"},
    "command": {"servicekit", "taskstore", "taskpb", "grpcwire", "protowire"},
    "query": {"servicekit", "taskstore", "taskpb", "grpcwire", "protowire"},
}
MUST_NOT_IMPORT = {
    "taskstore": {"grpclib", "grpc", "h2", "google"},
    "grpcwire": {"apsw", "asyncpg", "sqlite3", "click"},
    "protowire": {"apsw", "asyncpg", "sqlite3", "click", "h2"},
    "taskctl": {"apsw", "asyncpg", "sqlite3"},
}
MAX_LINES = 400
MAX_FUNCTION_LINES = 50


def modules(room):
    return sorted(
        path for path in (ROOT / ROOMS[room]).rglob("*.py") if "generated" not in path.parts
    )


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room):
    forbidden = ROOMS.keys() - MAY_IMPORT[room] - {room} | MUST_NOT_IMPORT.get(room, set())
    for path in modules(room):
        wrong = forbidden & set(imports_of(path))
        assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


@pytest.mark.parametrize("room", ROOMS)
def test_underscore_names_of_other_libraries_are_left_alone(room):
    for path in modules(room):
        if path.name == "betterproto_internals.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                private = [a.name for a in node.names if a.name.startswith("_")]
                private += [part for part in node.module.split(".") if part.startswith("_")]
                inside = node.module.partition(".")[0] == room
                assert inside or not set(private) - {"__future__"}, (path, private)


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in ("command", "query")])
def test_public_names_are_declared_exist_and_are_documented(room):
    package = importlib.import_module(room)
    if not hasattr(package, "__all__"):
        pytest.fail(f"{room} declares no __all__")
    assert list(package.__all__) == sorted(package.__all__, key=sort_key)
    for name in package.__all__:
        public = getattr(package, name)
        if callable(public) and not public.__module__.startswith("taskpb.generated"):
            assert public.__doc__, f"{room}.{name} has no docstring"


def sort_key(name):
    """Constants, then classes, then the rest: as the linter sorts `__all__`."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_the_contracts_names_are_importable_from_taskpb():
    from taskpb import (  # noqa: F401
        CreateTaskRequest,
        Task,
        TaskServiceBase,
        TaskServiceStub,
    )


@pytest.mark.parametrize("room", ROOMS)
def test_modules_and_functions_stay_short(room):
    for path in modules(room):
        source = path.read_text()
        first_line = source.partition("\n")[0]
        assert source.count("\n") <= MAX_LINES or "long" in first_line, path
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                assert lines <= MAX_FUNCTION_LINES, f"{path}: {node.name} has {lines} lines"


def test_the_two_mains_differ_only_in_class_port_and_store_side():
    renamed = {
        "settings.query": "settings.command",
        "CommandService": "QueryService",
        "command": "query",
        "COMMAND_PORT": "QUERY_PORT",
        "writer": "reader",
        "open_writer": "open_reader",
        "writes": "reads",
        "write": "read",
    }
    pattern = re.compile(r"settings\.query|\w+")
    main = (ROOT / "command/__main__.py").read_text()
    expected = pattern.sub(lambda match: renamed.get(match[0], match[0]), main)
    assert sorted(expected.split()) == sorted((ROOT / "query/__main__.py").read_text().split())


SOURCES = sorted(
    path
    for folder in ("lib", "command", "query", "packages", "tests", "bench", "examples")
    for path in (ROOT / folder).rglob("*.py")
    if not {"generated", ".venv"} & set(path.parts)
)


def relative(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_names_are_words_of_the_field(path):
    """Error, byte and route: RFC 9113 and grpclib know no other words for them."""
    private = re.compile("fault(?!handler)|octet|meaning")
    for node in ast.walk(ast.parse(path.read_text())):
        for attribute in ("id", "name", "attr", "arg"):
            name = getattr(node, attribute, None)
            if isinstance(name, str) and private.search(name.lower().replace("default", "")):
                pytest.fail(f"{relative(path)}:{getattr(node, 'lineno', 0)}: {name}")


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_docstrings_begin_with_the_thing_or_the_act(path):
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(path.read_text())):
        text = ast.get_docstring(node) if isinstance(node, documented) else None
        assert not re.match(r"(What|Whether|How)\b", text or ""), f"{relative(path)}: {text}"


@pytest.mark.parametrize("room", ROOMS)
def test_modules_have_no_import_cycle(room):
    folder = (ROOT / ROOMS[room]).parent
    imported = {
        path: {
            module
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and not node.level
            for name in [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
            if (module := folder / (name.replace(".", "/") + ".py")).exists()
        }
        for path in modules(room)
    }
    for start, direct in imported.items():
        pending, seen = [*direct], set()
        while pending:
            module = pending.pop()
            assert module != start, f"{relative(start)} imports itself by way of others"
            if module not in seen:
                seen.add(module)
                pending += imported.get(module, ())
