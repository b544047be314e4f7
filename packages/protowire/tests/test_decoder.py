"""Generated decoders beyond protobuf's conformance cases: errors, limits, differences."""

import linecache
import struct
import time

import pytest
from oracle import differ

import protowire

LIMIT_S = 2  # what is not linear takes minutes


def _error(cls, data) -> protowire.DecodeError:
    with pytest.raises(protowire.DecodeError) as caught:
        protowire.decode(cls, data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "reason", "field", "offset"),
    [
        (b"\x0a\x02\xff\xff", "invalid UTF-8", "text", 0),
        (b"\x0a\x01a\x12\x05b", "truncated", "tags", 3),
        (b"\x0a\x01a\x12", "truncated", "tags", 3),
        (b"\x0a\x01a\x00\x01", "field number 0", "", 3),
        (b"\x0a\xff\xff\xff\xff\x7f", "length is too large", "text", 0),
        (b"\x0a\x80\x80\x80\x80\x80\x00", "varint is too long", "text", 0),
        (b"\x0e", "wire type 6 does not exist", "", 0),
        (b"\x0c", "end of a group that was not begun", "", 0),
        (b"\x0b\x14", "end of another group", "", 0),
        (b"\xff\xff\xff\xff\x7f", "field number is too large", "", 0),
    ],
)
def test_an_error_says_what_where_and_in_which_field(task, data, reason, field, offset):
    error = _error(task.CreateTaskRequest, data)
    assert (error.reason, error.field, error.offset) == (reason, field, offset)
    assert error.message == "CreateTaskRequest"
    assert isinstance(error, ValueError)


def test_an_error_in_a_sub_message_gives_its_path_and_absolute_offset(task):
    data = b"\x0a\x04\x12\x02ok\x0a\x04\x1a\x02\xff\xff"
    error = _error(task.ListTasksByTagResponse, data)
    assert str(error) == "ListTasksByTagResponse.tasks.tags: invalid UTF-8 at offset 8"


def test_an_error_in_a_time_gives_the_offset_of_that_time_though_others_follow(torture):
    late = b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
    for field, name in ((b"\x0a", "time"), (b"\x12", "span"), (b"\x62", "times")):
        data = b"\x52\x00" + field + b"\x0a" + late + b"\x52\x00"
        error = _error(torture.Known, data)
        assert (error.field, error.offset) == (name, 2)


def test_an_error_ends_the_chain_at_its_cause(task):
    assert _error(task.Task, b"\x12\x05").__cause__ is None


@pytest.mark.parametrize("data", [5, "text", None, [1, 2]])
def test_what_is_no_bytes_is_a_type_error(task, data):
    with pytest.raises(TypeError):
        protowire.decode(task.Task, data)


@pytest.mark.parametrize("make", [bytearray, memoryview])
def test_any_bytes_like_object_is_read(task, make):
    assert protowire.decode(task.Task, make(b"\x12\x02ok")) == task.Task(text="ok")


HOSTILE = {
    "empty repeated strings": ("CreateTaskRequest", b"\x12\x00" * 100_000),
    "unknown varints": ("CreateTaskRequest", b"\x78\x01" * 100_000),
    "alternating fields": ("Task", b"\x1a\x00\x08\x01" * 50_000),
    "overwritten strings": ("Task", b"\x12\x00" * 100_000),
    "empty sub-messages": ("ListTasksByTagResponse", b"\x0a\x00" * 100_000),
    "merged sub-messages": ("CreateTaskResponse", b"\x0a\x02\x18\x01" * 50_000),
    "unknown groups": ("Task", b"\x7b\x7c" * 100_000),
    "nested unknown groups": ("Task", (b"\x7b" * 99 + b"\x7c" * 99) * 1_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_is_linear_in_hostile_input(task, name):
    message, data = HOSTILE[name]
    cls = getattr(task, message)
    protowire.decode(cls, data[: len(data) // 100])
    start = time.process_time()
    protowire.encode(protowire.decode(cls, data))
    took = time.process_time() - start
    assert len(data) >= 190_000
    assert took < LIMIT_S


def test_work_is_linear_in_merged_unknown_fields(torture):
    # Each occurrence of `left` adds an unknown field to the same sub-message.
    data = b"\x12\x04\x12\x02\x78\x01" * 30_000
    start = time.process_time()
    message = protowire.decode(torture.Tree, data)
    assert time.process_time() - start < LIMIT_S
    assert message.left.left._unknown_fields == b"\x78\x01" * 30_000


def test_field_number_zero_is_refused_inside_an_unknown_group_where_upb_is_lax(torture, upb):
    # https://protobuf.dev/programming-guides/encoding: field numbers start at 1. upb skips
    # an unknown group without looking at the numbers of zero in it; C++ and we look.
    data = b"\x7b\x00\x01\x7c"
    upb.torture.Leaf.FromString(data)
    assert _error(torture.Leaf, data).reason == "field number 0"


def test_the_payload_of_a_float_nan_is_not_kept_where_upb_keeps_it(torture, upb):
    # Python's floats are doubles; widening a signalling NaN makes it a quiet one.
    data = b"\x15" + struct.pack("<I", 0x7FA12345)
    assert upb.torture.Scalars.FromString(data).SerializeToString() == data
    again = protowire.encode(protowire.decode(torture.Scalars, data))
    assert again[:1] == data[:1]
    assert protowire.decode(torture.Scalars, again).a_float != 0


def test_unpacked_fields_are_written_packed_since_betterproto_forgets_the_option(torture, upb):
    data = b"\x08\x01\x08\x02"
    assert upb.torture.Unpacked.FromString(data).SerializeToString() == data
    assert protowire.encode(protowire.decode(torture.Unpacked, data)) == b"\x0a\x02\x01\x02"
    assert not differ(torture.Unpacked, upb.torture.Unpacked, data)


def test_unknown_fields_of_times_and_wrappers_are_dropped_since_python_values_have_no_place(
    torture,
):
    for field in (b"\x0a", b"\x3a"):
        message = protowire.decode(torture.Known, field + b"\x04\x08\x05\x78\x01")
        assert protowire.encode(message) == field + b"\x02\x08\x05"


def test_a_map_entry_kept_as_unknown_is_kept_to_the_byte_where_upb_rewrites_it(torture, upb):
    data = b"\x0a\x06\x08\x00\x10\x02\x18\x03"
    assert protowire.encode(protowire.decode(torture.Maps, data)) == data
    assert upb.torture.Maps.FromString(data).SerializeToString() == b"\x0a\x04\x10\x02\x18\x03"


def test_generated_code_is_readable_and_shown_in_tracebacks(torture):
    source = protowire.generated_source(torture.Leaf)
    assert "def decode(data, pos, end, self, depth, old=None):" in source
    assert "self.name = data[pos:stop].decode()" in source
    name = f"<protowire {torture.Leaf.__module__}.Leaf>"
    assert linecache.getlines(name) == source.splitlines(keepends=True)
