"""Messages known only by their bytes, for passing on what is stored encoded.

Such a message is an instance of a hidden subclass of its class. Its one attribute is its
encoding, which encoders copy. Every name that could hold something of the message (its
fields, betterproto's internals, `__dict__` itself) is a data descriptor on the subclass:
reading, setting or deleting it decodes the message in place, turns the instance into one of
the ordinary class and forgets the bytes, and only then does what was asked. All methods
reach their data by those names, so nothing can see a stale value, and ordinary messages
carry no trace of all this.

Until then `type(message)` is the subclass; `isinstance` holds as ever.
"""

# The hidden classes are made at run time.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false

from threading import RLock
from typing import Any, Final, TypeVar

from protowire.betterproto_internals import class_attributes, instance_dict, new
from protowire.registry import DECODERS, LAZY
from protowire.shape import Shape
from protowire.wire import MAX_DEPTH

__all__ = ["encode_lazy", "from_encoded", "make_lazy_class", "settle"]

T = TypeVar("T")
_ENCODED: Final = "_protowire_encoded"

_set_class: Final = object.__dict__["__class__"].__set__
_settling: Final = RLock()


def from_encoded(cls: type[T], data: bytes) -> T:
    """Make a message that is known only by its encoding until it is looked into.

    `data` must be a valid encoding of a `cls`, such as `encode` gave: it is not checked, and
    `encode` gives it back untouched, also when the message is inside another. If it is
    invalid after all, the first look into the message raises DecodeError. TypeError for a
    class that is not compiled.

    Encodings of one class may be joined: that is how protobuf merges messages. A list kept as
    encodings of one-element lists is thus answered by one join, the other fields after it.
    """
    try:
        message: Any = new(LAZY[cls])
    except KeyError:
        raise TypeError(f"{cls.__name__} is not compiled") from None
    message._protowire_encoded = data  # noqa: SLF001 - our own attribute
    return message  # type: ignore[no-any-return] # one of `cls`


def settle(message: Any, cls: type) -> None:
    """Decode a lazy message in place."""
    with _settling:
        own = instance_dict(message)
        if _ENCODED not in own:
            return  # another thread was faster
        decoded: Any = new(cls)
        data = own[_ENCODED]
        DECODERS[cls](data, 0, len(data), decoded, MAX_DEPTH)
        # Until the class is set, the descriptors keep other threads waiting for the lock.
        own.update(instance_dict(decoded))
        del own[_ENCODED]
        _set_class(message, cls)


class _Settling:
    """A name on a lazy message: using it decodes the message first."""

    def __init__(self, name: str, cls: type) -> None:
        self.name, self.cls = name, cls

    def __get__(self, message: Any, owner: Any) -> Any:
        if message is None:
            return getattr(self.cls, self.name)
        settle(message, self.cls)
        return getattr(message, self.name)

    def __set__(self, message: Any, value: object) -> None:
        settle(message, self.cls)
        setattr(message, self.name, value)

    def __delete__(self, message: Any) -> None:
        settle(message, self.cls)
        delattr(message, self.name)


def make_lazy_class(shape: Shape) -> type:
    """Make the hidden subclass of a message class."""
    cls: Any = shape.cls
    names = [*class_attributes(shape), "__dict__"]
    namespace: dict[str, Any] = {name: _Settling(name, cls) for name in names}
    namespace |= {
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__setattr__": object.__setattr__,  # the descriptors come first, as for reading
        "_protowire_lazy": True,
        # Called as a class, it makes ordinary messages.
        "__new__": lambda _, *args, **fields: cls(*args, **fields),
        "FromString": classmethod(lambda _, data: cls.FromString(data)),
    }
    lazy: type = type(cls)(cls.__name__, (cls,), namespace)
    return lazy


def encode_lazy(message: Any, _depth: int) -> bytes:
    """Return back the bytes that the message is known by."""
    data: bytes = message._protowire_encoded  # noqa: SLF001 - our own attribute
    return data
