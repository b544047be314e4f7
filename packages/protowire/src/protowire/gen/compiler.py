"""Compiles message classes: reads their shapes, writes their code, installs it.

Classes are compiled in batches, each with all the classes that it refers to, because
generated code calls other classes' code by name. A class that can't be compiled, and every
class that refers to it, is reported; it stays betterproto's.
"""

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Final

from protowire import registry
from protowire.betterproto_internals import (
    install,
    is_message_class,
    read_shape,
)
from protowire.errors import CompileError
from protowire.gen.called_names import called_names
from protowire.gen.decoder import write_decoder
from protowire.gen.encoder import write_encoder
from protowire.gen.methods import make_methods, write_init
from protowire.gen.quick_json_reader import has_quick_reader, write_quick_reader
from protowire.gen.quick_json_transcoder import has_quick_transcoder, write_quick_transcoder
from protowire.gen.quick_json_writer import has_quick_writer, write_quick_writer
from protowire.gen.source import Source
from protowire.lazy import encode_lazy, make_lazy_class
from protowire.shape import Shape

__all__ = ["compile_messages", "generated_source"]

_SOURCES: Final[dict[type, Source]] = {}


def compile_messages(*sources: ModuleType | type, leave_out: bool = False) -> dict[str, str]:
    """Make message classes fast and strict: a module's, single ones, and those they refer to.

    Returns why a class or field could not be compiled, by `Class` or `Class.field`: empty
    when all went well. Unless `leave_out` is set, a class that can't be compiled raises
    CompileError with the same, and none is changed. Compiling a class twice does nothing.
    Compile before any message is made: older instances are laid out as betterproto's.
    """
    shapes, reasons = _read_all(_classes(sources))
    if reasons and not leave_out:
        raise CompileError(reasons)
    writers = [
        (write, _self_contained(fits, shapes, _TABLES[part])) for write, fits, part in _QUICK_JSON
    ]
    compiled = {
        cls: _write(shape, [write for write, classes in writers if cls in classes])
        for cls, shape in shapes.items()
    }
    for cls, source in compiled.items():
        _register(shapes[cls], source)
    for cls, source in compiled.items():
        for name, (other, part) in source.late.items():
            source.names[name] = _TABLES[part][other]
        _install(shapes[cls], source)
    return reasons


def generated_source(cls: type) -> str:
    """Return the code that was generated for a compiled class."""
    return _SOURCES[cls].text


_TABLES: Final[dict[str, dict[type, Any]]] = {
    "encode": registry.ENCODERS,
    "decode": registry.DECODERS,
    "json": registry.QUICK_JSON_WRITERS,
    "from_plain": registry.QUICK_JSON_READERS,
    "transcode": registry.QUICK_JSON_TRANSCODERS,
    "lazy": registry.LAZY,
}

_QUICK_JSON: Final = (
    (write_quick_writer, has_quick_writer, "json"),
    (write_quick_transcoder, has_quick_transcoder, "transcode"),
    (write_quick_reader, has_quick_reader, "from_plain"),
)
"""Of each kind of quick code: its writer, the test of a class that can have it, its table."""


def _classes(sources: Iterable[ModuleType | type]) -> list[type]:
    classes: list[type] = []
    for source in sources:
        if isinstance(source, ModuleType):
            found = [value for value in vars(source).values() if is_message_class(value)]
            if not found:
                raise TypeError(f"{source.__name__} has no message classes")
            classes += found
        elif is_message_class(source):
            classes.append(source)
        else:
            raise TypeError(f"{source!r} is neither a module nor a message class")
    return classes


def _read_all(classes: list[type]) -> tuple[dict[type, Shape], dict[str, str]]:
    """Read classes and what they refer to; leave out what can't be, and what needs it."""
    shapes: dict[type, Shape] = {}
    reasons: dict[str, str] = {}
    bad: set[type] = set()
    queue = list(classes)
    for cls in queue:  # grows while it is walked
        if cls in shapes or cls in bad or cls in _SOURCES:
            continue
        try:
            shapes[cls] = read_shape(cls)
        except CompileError as error:
            reasons.update(error.reasons)
            bad.add(cls)
        else:
            queue += shapes[cls].refers_to
    while True:
        unfit = {
            (shape, field)
            for shape in shapes.values()
            for field in shape.fields
            if field.value.type in bad
        }
        if not unfit:
            return shapes, reasons
        for shape, field in unfit:
            reasons[f"{shape.name}.{field.name}"] = (
                f"refers to {field.value.type.__name__}, which can't be compiled"
            )
            bad.add(shape.cls)
            shapes.pop(shape.cls, None)


def _self_contained(
    fits: Callable[[Shape], bool], shapes: dict[type, Shape], known: Mapping[type, object]
) -> set[type]:
    """Return the classes that fit and refer to none but each other and what is known."""
    classes = {cls for cls, shape in shapes.items() if fits(shape)}
    while True:
        rest = {
            cls for cls in classes if all(c in classes or c in known for c in shapes[cls].refers_to)
        }
        if rest == classes:
            return classes
        classes = rest


def _write(shape: Shape, quick_writers: Iterable[Callable[[Source, Shape], None]]) -> Source:
    source = Source(f"{shape.cls.__module__}.{shape.name}")
    source.names.update(called_names())
    source.bind("TITLE", shape.name)
    tags = {
        field.number << 3 | wire_type: field.name
        for field in shape.fields
        for wire_type in {field.wire_type, field.value.wire_type}
    }
    source.bind("FIELDS", tags)
    for write in (write_init, write_encoder, write_decoder, *quick_writers):
        write(source, shape)
        source.add("")
    return source


def _register(shape: Shape, source: Source) -> None:
    cls = shape.cls
    names = source.compile()
    _SOURCES[cls] = source
    registry.SHAPES[cls] = shape
    for part, table in _TABLES.items():
        if part in names:
            table[cls] = names[part]
    lazy = make_lazy_class(shape)
    registry.LAZY[cls] = lazy
    registry.SHAPES[lazy] = shape
    registry.ENCODERS[lazy] = encode_lazy


def _install(shape: Shape, source: Source) -> None:
    names = source.names
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{shape.name}.__init__"
    init.__module__ = shape.cls.__module__
    methods = make_methods(shape, registry.encode, registry.decode, registry.merge)
    install(shape, {**methods, "__init__": init})
