"""Compiling: what is compiled, what is reported and left alone, and what is installed."""

import pickle
from dataclasses import dataclass

import betterproto
import pytest
from betterproto.lib.google.protobuf import Struct

import protowire
from protowire import compile_messages
from protowire.registry import DECODERS, ENCODERS, SHAPES


def _message(name: str, **fields):
    namespace = {"__annotations__": {k: v for k, (v, _) in fields.items()}, "__module__": __name__}
    namespace |= {k: field for k, (_, field) in fields.items()}
    return dataclass(eq=False, repr=False)(type(name, (betterproto.Message,), namespace))


def test_every_class_of_a_module_is_compiled_with_those_it_refers_to(torture, task):
    for cls in (task.Task, task.ListTasksByTagResponse, torture.Tree, torture.Nothing, Struct):
        assert cls in ENCODERS
        assert protowire.generated_source(cls)


def test_the_whole_task_module_can_be_compiled(task):
    assert compile_messages(task) == {}


def test_compiling_twice_changes_nothing(torture):
    before = dict(vars(torture.Leaf))
    assert compile_messages(torture.Leaf) == {}
    assert dict(vars(torture.Leaf)) == before


def test_what_cannot_be_compiled_is_reported_by_name(torture):
    reasons = compile_messages(torture, leave_out=True)
    assert list(reasons) == ["WrappedMany.named"]
    assert "does not tell" in reasons["WrappedMany.named"]


def test_what_cannot_be_compiled_is_an_error_unless_left_out(torture):
    with pytest.raises(protowire.CompileError, match=r"WrappedMany\.named") as caught:
        compile_messages(torture)
    assert list(caught.value.reasons) == ["WrappedMany.named"]


def test_the_reasons_survive_pickling():
    error = pickle.loads(pickle.dumps(protowire.CompileError({"A.b": "is bad"})))  # noqa: S301 - ours
    assert error.reasons == {"A.b": "is bad"}
    assert str(error) == "A.b: is bad"


def test_what_is_left_out_stays_betterprotos(torture):
    message = torture.WrappedMany(many=[1])
    assert torture.WrappedMany not in ENCODERS
    assert protowire.encode(message) == bytes(message)
    assert protowire.decode(torture.WrappedMany, b"\x0a\x02\x08\x01").many == [1]


def test_an_error_leaves_every_class_alone():
    good = _message("Good", number=(int, betterproto.int32_field(1)))
    bad = _message("Bad", parse=(int, betterproto.int32_field(1)))
    init = good.__init__
    with pytest.raises(protowire.CompileError):
        compile_messages(good, bad)
    assert good.__init__ is init
    assert good not in SHAPES


def test_a_field_named_like_a_method_of_messages_is_reported():
    bad = _message("Bad", parse=(int, betterproto.int32_field(1)))
    assert compile_messages(bad, leave_out=True) == {
        "Bad.parse": "has the name of something that every message has"
    }


def test_fields_may_have_the_names_that_generated_code_would_like_to_use():
    names = ("self", "fields", "data", "pos", "end", "tag", "old", "depth", "parts", "unknown")
    for group in (None, "fields"):  # the names of a oneof's members, and of others
        fields = {
            name: (int, betterproto.int32_field(number, group=group))
            for number, name in enumerate(names, 1)
        }
        cls = _message("Named", **fields)
        compile_messages(cls)
        for name in names:
            message = cls(**{name: 5})
            assert cls.FromString(bytes(message)) == message
            assert getattr(message, name) == 5


def test_a_class_that_refers_to_one_left_out_is_left_out_too():
    bad = _message("Bad", to_dict=(int, betterproto.int32_field(1)))
    user = _message("User", bad=(bad, betterproto.message_field(1)))
    reasons = compile_messages(user, leave_out=True)
    assert reasons["User.bad"] == "refers to Bad, which can't be compiled"
    assert user not in SHAPES


def test_a_class_with_its_own_methods_is_reported():
    class Base(betterproto.Message):
        def __bytes__(self) -> bytes:
            return b"mine"

        number: int = betterproto.int32_field(1)

    assert compile_messages(dataclass(Base), leave_out=True) == {
        "Base": "defines its own __bytes__, __eq__, __repr__"
    }


def test_a_type_hint_that_leads_nowhere_is_reported():
    lost = _message("Lost", field=("Nowhere", betterproto.message_field(1)))
    assert "type hints" in compile_messages(lost, leave_out=True)["Lost"]


def test_what_is_no_message_class_is_a_type_error():
    with pytest.raises(TypeError):
        compile_messages(int)
    with pytest.raises(TypeError, match="has no message classes"):
        compile_messages(protowire)


def test_repeated_wrappers_are_compiled():
    cls = _message(
        "Many", many=(list[int | None], betterproto.message_field(1, wraps=betterproto.TYPE_INT32))
    )
    compile_messages(cls)
    assert protowire.decode(cls, b"\x0a\x02\x08\x05\x0a\x00").many == [5, 0]
    assert protowire.encode(cls(many=[5, 0])) == b"\x0a\x02\x08\x05\x0a\x00"
    assert cls(many=[5]).parse(b"\x0a\x02\x08\x07").many == [5, 7]


def test_deprecated_messages_and_fields_warn_as_betterprotos_do():
    @dataclass(eq=False, repr=False)
    class Old(betterproto.Message):
        number: int = betterproto.int32_field(1)
        left: str = betterproto.string_field(2, group="side")
        right: str = betterproto.string_field(3, group="side")

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.is_set("number"):
                import warnings

                warnings.warn("Old.number is deprecated", DeprecationWarning, stacklevel=2)

    compile_messages(Old)
    assert not betterproto.serialized_on_wire(Old())
    with pytest.deprecated_call():
        message = Old(number=1)
    assert bytes(message) == b"\x08\x01"
    assert betterproto.serialized_on_wire(message)
    assert betterproto.which_one_of(Old(right=""), "side") == ("right", "")
    with pytest.raises(AttributeError):
        _ = Old(right="").left


def test_two_classes_of_one_name_are_kept_apart(torture):
    other = _message("Leaf", color=(int, betterproto.int32_field(3)))
    pair = _message(
        "Pair",
        first=(torture.Leaf, betterproto.message_field(1)),
        second=(other, betterproto.message_field(2)),
    )
    compile_messages(pair)
    message = pair(first=torture.Leaf(number=1), second=other(color=2))
    assert bytes(message) == b"\x0a\x02\x08\x01\x12\x02\x18\x02"
    assert pair.FromString(bytes(message)) == message


def test_nesting_is_limited_whichever_class_is_compiled_first(torture):
    low = _message("Low", leaf=(torture.Leaf, betterproto.message_field(1)))
    compile_messages(low)  # what may hold it without end can be compiled later
    with pytest.raises(protowire.DecodeError, match="nested deeper"):
        DECODERS[low](b"\x0a\x00", 0, 2, low(), 0)
    with pytest.raises(protowire.EncodeError, match="nested deeper"):
        ENCODERS[low](low(leaf=torture.Leaf()), 0)


def test_a_message_with_many_fields_is_found_by_halves():
    fields = {f"f{n}": (int, betterproto.int32_field(n)) for n in range(1, 60)}
    cls = _message("Wide", **fields)
    compile_messages(cls)
    message = cls(**{f"f{n}": n for n in range(1, 60)})
    data = bytes(message)
    assert cls.FromString(data) == message
    backwards = b"".join(bytes(cls(**{f"f{n}": n})) for n in reversed(range(1, 60)))
    assert cls.FromString(backwards) == message
