"""The list of what generated code calls: no more than that, under the functions' own names."""

import types

import betterproto.lib.google.protobuf
import pytest

import protowire
from protowire import wellknown, wire
from protowire.gen import compiler
from protowire.gen.called_names import called_names


def globals_of(function: types.FunctionType) -> set[str]:
    """The global names that a function's code, and the code inside it, looks up."""
    names, pending = set(), [function.__code__]
    while pending:
        code = pending.pop()
        names |= set(code.co_names)
        pending += [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return names


@pytest.fixture(scope="module")
def called(torture, task):
    """The names of functions that the code of any compiled class looks up."""
    protowire.compile_messages(betterproto.lib.google.protobuf, leave_out=True)
    names = set()
    for source in compiler._SOURCES.values():
        for value in source.names.values():
            ours = isinstance(value, types.FunctionType)
            if ours and value.__code__.co_filename.startswith("<protowire"):
                names |= globals_of(value)
    return names


@pytest.mark.parametrize("module", [wire, wellknown], ids=["wire", "wellknown"])
def test_every_listed_function_is_called(called, module):
    listed = [function.__name__ for function in module.CALLED_BY_GENERATED_CODE]
    assert listed == sorted(set(listed))
    assert not set(listed) - called


@pytest.mark.parametrize("module", [wire, wellknown], ids=["wire", "wellknown"])
def test_listed_functions_are_the_modules_own_under_their_own_names(module):
    for function in module.CALLED_BY_GENERATED_CODE:
        assert getattr(module, function.__name__) is function
        assert called_names()[function.__name__] is function


def test_names_are_made_once():
    assert called_names() is called_names()
