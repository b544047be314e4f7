"""Writes the encoder of a message class as Python source.

An encoder appends pieces to a list and joins them once. Headers of short strings and
messages, and whole fields of small integers, come ready-made from tables that are indexed by
length or value. Fields are written in the order of their numbers, unknown fields last.

Types are checked where that is cheap and ranges where a value leaves its table; whatever is
wrong surfaces as some exception, and `check` then walks the message to name the field. So an
encoder carries no names, and a good message pays nothing for them.

A message that is known by its encoding alone (`lazy`) is copied, never looked into.
"""

from typing import Final

from protowire.betterproto_internals import UNKNOWN
from protowire.gen.source import Source
from protowire.shape import FIXED, FLOATS, VARINTS, Field, Label, Shape, Value
from protowire.wire import varint

__all__ = ["write_encoder"]

TABLE: Final = 128
"""Lengths and values with one byte, for which a header is ready-made."""

LAST: Final = tuple(bytes((n,)) for n in range(TABLE))
"""The last byte of a varint, by its seven bits."""
LOW: Final = tuple(bytes((n | TABLE,)) for n in range(TABLE))
"""Any other byte of a varint, by its seven bits."""

_EXACT: Final = {
    "string": "str",
    "bytes": "bytes",
    "bool": "bool",
    "float": "float",
    "double": "float",
}


class _Encoder:
    """The state that the fields of one encoder share."""

    def __init__(self, source: Source) -> None:
        self.source = source
        source.bind("LAST", LAST)
        source.bind("LOW", LOW)
        self.levels = 1  # how much deeper a sub-message is: two for a map's, in its entry

    def table(self, tag: int) -> tuple[str, str]:
        """Bind the table of a tag's one-byte continuations, and the tag itself."""
        encoded = varint(tag)
        self.source.bind(f"HEAD_{tag}", tuple(encoded + bytes((n,)) for n in range(TABLE)))
        self.source.bind(f"TAG_{tag}", encoded)
        return f"HEAD_{tag}", f"TAG_{tag}"

    def delimited(self, tag: int, body: str, out: str = "parts") -> None:
        """Write a header and a body, whose length is not known beforehand."""
        head, plain = self.table(tag)
        add, block = self.source.add, self.source.block
        add(f"size = len({body})")
        with block(f"if size < {TABLE}:"):
            add(f"{out}.append({head}[size])")
        with block("else:"):
            add(f"{out}.append({plain} + varint(size))")
        add(f"{out}.append({body})")

    def check_depth(self) -> None:
        """Refuse another level where decoders would."""
        with self.source.block(f"if depth < {self.levels}:"):
            self.source.add("raise EncodeError(TOO_DEEP)")

    def exact(self, value: Value, name: str) -> None:
        """Refuse a value of another type, or make it one of the right type."""
        kind = value.kind
        if kind == "enum":
            exact, convert = self.source.class_name(value.type), "as_int"
        else:
            exact = _EXACT.get(kind, "int")
            convert = f"as_{exact}"
        with self.source.block(f"if type({name}) is not {exact}:"):
            self.source.add(f"{name} = {convert}({name})")

    def scalar(self, tag: int, value: Value, name: str, out: str = "parts") -> None:
        """Write one scalar or enum, with its tag."""
        add, block = self.source.add, self.source.block
        kind = "int32" if value.kind == "enum" else value.kind
        if kind in {"string", "bytes"}:
            add(f"body = {name}.encode()" if kind == "string" else f"body = {name}")
            self.delimited(tag, "body", out)
            return
        head, plain = self.table(tag)
        if kind == "bool":
            add(f"{out}.append({head}[{name}])")
        elif kind in FIXED:
            add(f"{out}.append({plain} + pack_{kind}({name}))")
        elif kind.startswith("s"):
            add(f"{out}.append({plain} + {kind}_bytes({name}))")
        else:
            low = self.source.bind(f"LOW_{tag}", tuple(varint(tag) + byte for byte in LOW))
            with block(f"if 0 <= {name} < {TABLE}:"):
                add(f"{out}.append({head}[{name}])")
            with block(f"elif 0 < {name} < {TABLE**2}:"):
                add(f"{out}.append({low}[{name} & 127])", f"{out}.append(LAST[{name} >> 7])")
            with block(f"elif 0 < {name} < {TABLE**3}:"):
                add(f"{out}.append({low}[{name} & 127])", f"{out}.append(LOW[{name} >> 7 & 127])")
                add(f"{out}.append(LAST[{name} >> 14])")
            with block("else:"):
                add(f"{out}.append({plain} + {kind}_bytes({name}))")

    def body(self, value: Value, name: str) -> None:
        """Encode one sub-message of any kind into `body`."""
        add, block = self.source.add, self.source.block
        self.check_depth()
        if value.kind in {"timestamp", "duration"}:
            add(f"body = {value.kind}_bytes({name})")
        elif value.kind == "wrapper":
            inner = Value(value.wraps)
            self.exact(inner, name)
            add("wrapped = []")
            with block(f"if {_is_set(inner, name)}:"):
                self.scalar(1 << 3 | inner.wire_type, inner, name, "wrapped")
            add("body = b''.join(wrapped)")
        else:
            depth = f"depth - {self.levels}"
            with block(f"if type({name}) is {self.source.class_name(value.type)}:"):
                add(f"body = {self.source.part_of(value.type, 'encode')}({name}, {depth})")
            with block(f"elif type({name}) is {self.source.part_of(value.type, 'lazy')}:"):
                add(f"body = {name}._protowire_encoded")
            with block("else:"):
                cls = self.source.class_name(value.type)
                add(f"body = encode_other({name}, {cls}, {depth})")

    def element(self, tag: int, value: Value, name: str, out: str = "parts") -> None:
        """Write one element of any kind, with its tag."""
        if value.kind in VARINTS or value.kind in FIXED or value.kind in {"string", "bytes"}:
            if value.kind != "string":  # `encode` is a method of strings alone
                self.exact(value, name)
            self.scalar(tag, value, name, out)
        else:
            self.body(value, name)
            self.delimited(tag, "body", out)


def _is_set(value: Value, name: str) -> str:
    """The condition of a scalar that is not its zero. Minus zero is not."""
    if value.kind in FLOATS:
        return f"{name} or copysign(1.0, {name}) < 0"
    return name


def write_encoder(source: Source, shape: Shape) -> None:
    """Write `encode(self, depth)` of a class; `depth` is how many levels may be below it."""
    encoder = _Encoder(source)
    add, block = source.add, source.block
    with block("def encode(self, depth):"):
        add("parts = []")
        if any(field.by_instance for field in shape.fields):
            add("fields = self.__dict__")
        for field in shape.by_number:
            _write_field(encoder, field)
        with block(f"if self.{UNKNOWN}:"):
            add(f"parts.extend(self.{UNKNOWN})")
        add("return b''.join(parts)")


def _write_field(encoder: _Encoder, field: Field) -> None:
    add, block = encoder.source.add, encoder.source.block
    tag = field.number << 3 | field.wire_type
    add(f"v = fields.get({field.name!r})" if field.by_instance else f"v = self.{field.name}")
    if field.label is Label.MAP:
        _write_map(encoder, field, tag)
    elif field.packable:
        _write_packed(encoder, field, tag)
    elif field.label is Label.REPEATED:
        _write_list_check(encoder)
        with block("for item in v:"):
            encoder.element(tag, field.value, "item")
    elif field.label is Label.IMPLICIT and not field.by_instance:
        _write_implicit(encoder, field, tag)
    elif field.label is Label.PRESENT:
        with block("if v is not None:"):
            encoder.body(field.value, "v")
            with block(f"if body or not only_read(fields, {field.name!r}, v):"):
                encoder.delimited(tag, "body")
    else:
        with block("if v is not None:"):
            encoder.element(tag, field.value, "v")


def _write_implicit(encoder: _Encoder, field: Field, tag: int) -> None:
    if field.value.kind == "string":  # what is true and no string has no `encode`
        with encoder.source.block("if v:"):
            encoder.scalar(tag, field.value, "v")
        with encoder.source.block("elif type(v) is not str:"):
            encoder.source.add("as_str(v)")
        return
    encoder.exact(field.value, "v")
    with encoder.source.block(f"if {_is_set(field.value, 'v')}:"):
        encoder.scalar(tag, field.value, "v")


def _write_list_check(encoder: _Encoder) -> None:
    with encoder.source.block("if type(v) is not list:"):
        encoder.source.add("v = as_list(v)")


def _write_packed(encoder: _Encoder, field: Field, tag: int) -> None:
    add, block = encoder.source.add, encoder.source.block
    kind = "int32" if field.value.kind == "enum" else field.value.kind
    _write_list_check(encoder)
    with block("if v:"):
        if kind in FIXED:
            convert = "as_float" if kind in FLOATS else "as_int"
            add(f"body = pack('<%d{FIXED[kind]}' % len(v), *map({convert}, v))")
        elif kind == "bool":
            add("body = bytes([as_bit(item) for item in v])")
        else:
            add(f"body = b''.join([{kind}_bytes(as_int(item)) for item in v])")
        encoder.delimited(tag, "body")


def _write_map(encoder: _Encoder, field: Field, tag: int) -> None:
    add, block = encoder.source.add, encoder.source.block
    key = Value(field.key)
    with block("if type(v) is not dict:"):
        add("v = as_dict(v)")
    with block("for key, item in v.items():"):
        encoder.check_depth()
        add("entry = []")
        encoder.element(1 << 3 | key.wire_type, key, "key", "entry")
        value_tag = 2 << 3 | field.value.wire_type
        encoder.levels = 2
        encoder.element(value_tag, field.value, "item", "entry")
        encoder.levels = 1
        add("body = b''.join(entry)")
        encoder.delimited(tag, "body")
