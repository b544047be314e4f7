"""Messages to bytes and JSON and back: strict, and at compiled speed, for betterproto classes.

`compile_messages` takes generated classes and gives them the methods and attributes that
betterproto's reflective ones are too slow and too lax for; they stay betterproto's classes in
every use. `encode` and `decode`, `to_json` and `from_json` are the doors; `Codec` is the same
for grpclib. Whatever is no message is a `DecodeError`; whatever cannot be one an `EncodeError`.

Inside, things go one way: `betterproto_internals` reads a class into a `shape`; `encoder`,
`decoder` and `methods` write the class's code as a `source`, `wire` and `wellknown` being what
that code calls; `compiler` runs and installs it; `registry` looks it up for every call. The
`json_*` modules work by shapes alone, and `check` names the field that an encoder refused.

Nothing here knows of calls, frames or tasks.
"""

from protowire.codec import Codec, JsonCodec
from protowire.errors import CompileError, DecodeError, EncodeError, ProtowireError
from protowire.gen.compiler import compile_messages, generated_source
from protowire.json.reader import from_json
from protowire.json.writer import to_json
from protowire.lazy import from_encoded
from protowire.registry import decode, encode

__all__ = [
    "Codec",
    "CompileError",
    "DecodeError",
    "EncodeError",
    "JsonCodec",
    "ProtowireError",
    "compile_messages",
    "decode",
    "encode",
    "from_encoded",
    "from_json",
    "generated_source",
    "to_json",
]
