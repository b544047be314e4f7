"""Writes, as Python source, the quick reader of a message's JSON.

What is parsed comes as the standard library's scanner gives it: an object as the tuple of
its pairs, an array as a list. `from_plain` knows the names that quick writers write. At
anything else (another spelling, a name that is unknown or comes twice, a null) it raises
TakeFullWay, or what the value's reader raises, and `json/reader` begins again the full
way, which tells what is wrong, if it is: proven equal by
`test_quick_json_reader.py::test_quick_reading_equals_the_full_way`.
"""

# pyright: reportUnknownArgumentType=false
# Values of any type pass here; every one is checked by its kind where that matters.

from protowire.gen.json_fallback import write_fallback_if
from protowire.gen.source import Source
from protowire.json.values import SCALARS
from protowire.shape import Field, Label, Shape, Value
from protowire.wellknown import well_known_name

__all__ = ["has_quick_reader", "write_quick_reader"]


def has_quick_reader(shape: Shape) -> bool:
    """True if a class can have such code, as far as its own fields go."""
    spellings = [{field.name, field.json_name} for field in shape.fields]
    distinct = len(set[str]().union(*spellings)) == sum(map(len, spellings))
    own = not well_known_name(shape.cls)
    return own and distinct and all(map(_is_simple, shape.fields))


def _is_simple(field: Field) -> bool:
    kind = field.value.inner_kind
    known = kind == "message" or (kind in SCALARS and kind != "enum")
    return known and not field.group and field.label is not Label.MAP


def write_quick_reader(source: Source, shape: Shape) -> None:
    """Write `from_plain(plain, depth)` of a class."""
    add, block = source.add, source.block
    with block("def from_plain(plain, depth):"):
        write_fallback_if(source, "depth < 0 or type(plain) is not tuple")
        add("values = {}")
        with block("for name, v in plain:"):
            for field in shape.by_number:
                with block(f"if name == {field.json_name!r}:"):
                    _write_field(source, field)
                    add("continue")
            add("raise TakeFullWay")
        write_fallback_if(source, "len(values) != len(plain)")
        add(f"return {source.class_name(shape.cls)}(**values)")


def _write_field(source: Source, field: Field) -> None:
    add, block = source.add, source.block
    target = f"values[{field.name!r}]"
    if field.many:
        write_fallback_if(source, "type(v) is not list")
        add(f"{target} = [{_value(source, field.value)} for v in v]")
    elif field.value.inner_kind == "string":
        with block("if type(v) is not str or not v.isascii():"):
            add(f"v = {_value(source, field.value)}")
        add(f"{target} = v")
    else:
        add(f"{target} = {_value(source, field.value)}")


def _value(source: Source, value: Value) -> str:
    """The expression for the value that `v` stands for."""
    kind = value.inner_kind
    if kind == "message":
        return f"{source.part_of(value.type, 'from_plain')}(v, depth - 1)"
    read = source.bind(f"read_{kind}_of_json", SCALARS[kind])
    return f"{read}({kind!r}, v)"
