"""A piece of source in the making: indentation, names, tracebacks."""

import linecache
import traceback

import pytest

from protowire.gen.json_fallback import write_fallback_if
from protowire.gen.source import Source
from protowire.json.fallback import TakeFullWay


class Thing:
    pass


def test_blocks_indent_what_is_written_inside():
    source = Source("test")
    with source.block("if 1:"):
        source.add("a = 1", "b = 2")
        with source.block("if 2:"):
            source.add("c = 3")
    source.add("d = 4")
    assert source.text == "if 1:\n    a = 1\n    b = 2\n    if 2:\n        c = 3\nd = 4\n"


def test_bound_names_are_seen_by_the_code():
    source = Source("test")
    assert source.bind("limit", 5) == "limit"
    source.add("def over(value): return value > limit")
    over = source.compile()["over"]
    assert (over(5), over(6)) == (False, True)


def test_a_class_has_one_name():
    source = Source("test")
    assert source.class_name(Thing) == source.class_name(Thing) == "cls_Thing"
    assert source.names["cls_Thing"] is Thing


def test_classes_of_one_name_have_names_of_their_own():
    source = Source("test")
    other = type("Thing", (), {})
    assert source.class_name(Thing) == "cls_Thing"
    assert source.class_name(other) == "cls_Thing_1"
    assert source.names["cls_Thing_1"] is other


def test_another_classs_code_is_named_now_and_bound_later():
    source = Source("test")
    assert source.part_of(Thing, "encode") == "encode_Thing"
    assert source.late == {"encode_Thing": (Thing, "encode")}
    assert "encode_Thing" not in source.names


def test_a_traceback_shows_the_generated_line():
    source = Source("test.shown")
    with source.block("def divide(value):"):
        source.add("return 1 / value  # as generated")
    divide = source.compile()["divide"]
    with pytest.raises(ZeroDivisionError) as caught:
        divide(0)
    assert "return 1 / value  # as generated" in "".join(traceback.format_exception(caught.value))
    assert linecache.getline("<protowire test.shown>", 1) == "def divide(value):\n"


def test_quick_code_leaves_off_where_its_condition_holds():
    source = Source("test")
    source.bind("TakeFullWay", TakeFullWay)
    with source.block("def quick(value):"):
        write_fallback_if(source, "value < 0")
        source.add("return value")
    quick = source.compile()["quick"]
    assert quick(1) == 1
    with pytest.raises(TakeFullWay):
        quick(-1)
