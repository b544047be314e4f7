"""Rules of the package about itself: storeys, no cycle, maps, docstrings."""

import ast
import re
from pathlib import Path

import pytest

import protowire

PACKAGE = Path(protowire.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
FOLDERS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
# A storey and those it may stand on; what stands in no folder is a storey of its own.
BASE = {"errors", "wire", "wellknown", "shape", "betterproto_internals", "check", "registry"}
STANDS_ON = {
    "errors": set(),
    "wire": {"errors"},
    "wellknown": {"errors", "wire"},
    "shape": set(),
    "betterproto_internals": {"errors", "shape", "wellknown"},
    "check": {"shape", "wellknown", "wire"},
    "registry": {"errors", "wire", "shape", "betterproto_internals", "check"},
    "lazy": {"betterproto_internals", "registry", "shape", "wire"},
    "json": {*BASE, "lazy"},
    "codec": {"json", "registry"},
    "gen": {*BASE, "lazy", "json"},
}
OTHER_ROOMS = {"grpcwire", "taskpb", "taskstore", "servicekit", "taskctl", "command", "query"}


def imported(path: Path) -> set[str]:
    """The names of the modules that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            names.add(node.module or "")
            if node.module == "protowire":
                names |= {f"protowire.{alias.name}" for alias in node.names}
    return names


def storey(name: str) -> str:
    return name.removeprefix("protowire.").partition(".")[0]


def identify(path: Path) -> str:
    return str(path.relative_to(PACKAGE).with_suffix(""))


def map_of(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_a_storey_imports_only_what_it_stands_on(path):
    own = storey(identify(path).replace("/", "."))
    below = {storey(name) for name in imported(path) if name.startswith("protowire.")}
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
            if name.startswith("protowire.") and module.exists() and module not in seen:
                seen.add(module)
                pending.append(module)


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_only_the_doors_import_what_writes_source(path):
    if path.parent.name != "gen":
        assert not {name for name in imported(path) if name.startswith("protowire.gen")}


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_nothing_of_the_project_around_it_is_imported(path):
    assert not {name.partition(".")[0] for name in imported(path)} & OTHER_ROOMS


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_imports_are_the_same_for_type_checkers_and_at_run_time(path):
    assert "__future__" not in imported(path)
    assert "TYPE_CHECKING" not in path.read_text()


def test_the_map_names_every_storey_and_no_others():
    named = re.findall(r"^    (\w+)/?  ", map_of(PACKAGE / "__init__.py"), re.MULTILINE)
    assert named == list(dict.fromkeys(named))
    assert set(named) == STANDS_ON.keys()
    assert set(named) == {storey(identify(path).replace("/", ".")) for path in MODULES}


def test_the_map_lists_the_storeys_from_the_doors_down():
    named = re.findall(r"^    (\w+)/?  ", map_of(PACKAGE / "__init__.py"), re.MULTILINE)
    for place, name in enumerate(named):
        assert STANDS_ON[name] <= {*named[place + 1 :]}, name


def test_the_table_of_ways_names_modules_that_exist():
    rows = re.findall(
        r"^    (?:reading|writing), .*$", map_of(PACKAGE / "__init__.py"), re.MULTILINE
    )
    assert len(rows) == 4
    for row in rows:
        for name in re.findall(r"`([\w/]+)`", row):
            path = name if "/" in name else f"gen/{name}"
            assert (PACKAGE / f"{path}.py").exists(), name


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folders_map_names_its_modules_and_no_others(folder):
    named = set(re.findall(r"^(\w+)  ", map_of(folder / "__init__.py"), re.MULTILINE))
    assert named == {path.stem for path in folder.glob("*.py")} - {"__init__"}


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_every_module_opens_with_its_purpose_and_declares_its_public_names(path):
    assert map_of(path)
    assert "__all__" in path.read_text()


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_every_ignored_rule_carries_its_reason(path):
    for line in path.read_text().splitlines():
        ignored = re.search(r"# (?:noqa: [A-Z0-9, ]+|(?:type|pyright): ignore\[[^]]+\])(.*)", line)
        assert ignored is None or re.match(r" ?[-#] \S|[-#]", ignored[1].strip()), line
