"""The pin on betterproto, and that its internals are known in one file only."""

import ast
import re
import sys
from pathlib import Path

import pytest

import protowire
from protowire import betterproto_internals

ROOM = Path(protowire.__file__).parent
PRIVATE = re.compile(
    r"_betterproto\b|_betterproto_meta|_value_map_|_member_map_|PLACEHOLDER|ProtoClassMetadata"
    r"|FieldMetadata|meta_by_field_name|default_gen|cls_by_field|_serialized_on_wire|\b_unknown_fields|_group_current"
)


def test_another_version_of_betterproto_is_refused(monkeypatch):
    source = Path(betterproto_internals.__file__).read_text()
    version = sys.modules["betterproto._version"]
    monkeypatch.setattr(version, "__version__", "2.0.0b8")
    with pytest.raises(ImportError, match=r"relies on the inside of betterproto 2\.0\.0b7"):
        exec(compile(source, "internals", "exec"), {"__name__": "internals"})  # noqa: S102


def test_only_one_file_knows_betterprotos_internals():
    for path in ROOM.rglob("*.py"):
        if path.name != "betterproto_internals.py":
            assert not PRIVATE.search(path.read_text()), path.name


def test_only_two_files_import_betterproto():
    users = {
        path.name
        for path in ROOM.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and any(alias.name.split(".")[0] == "betterproto" for alias in node.names)
    }
    assert users <= {"betterproto_internals.py", "methods.py"}


def test_generated_attributes_are_pythons_own(torture):
    for name in ("Leaf", "Tree", "Scalars", "Choice"):
        cls = getattr(torture, name)
        assert cls.__getattribute__ is object.__getattribute__
        assert not hasattr(cls, "__getattr__")
