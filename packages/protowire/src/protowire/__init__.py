"""Messages to bytes and JSON and back: strict, and at compiled speed, for betterproto classes.

`compile_messages` takes generated classes and gives them the methods and attributes that
betterproto's reflective ones are too slow and too lax for; they stay betterproto's classes in
every use. `encode` and `decode`, `to_json` and `from_json` are the doors; `Codec` and
`JsonCodec` are the same for grpclib. Whatever is not a message is a `DecodeError`; whatever
cannot be one an `EncodeError`.

The storeys, from the doors down; a module imports only what stands below it:

    gen/                     writes a class's code as a `source`, runs it and installs it
    codec                    grpclib's codecs
    json/                    JSON, the full way, and how quick code falls back to it
    lazy                     messages known only by their bytes
    registry                 the compiled classes; looks one up for every call
    check                    names the field that an encoder refused
    betterproto_internals    reads a class into a `shape`; all that is known of betterproto's inside
    shape                    a message class as plain data
    wellknown                Timestamp and Duration
    wire                     pieces of the binary form
    errors                   one family

Only this module imports `gen`. The binary form has one way, generated; JSON has two, held
equal by tests. The quick way judges nothing and gives up at what is unusual; then the full
way, by shapes, begins again:

    reading, quick    code that `gen/quick_json_reader` writes
    reading, full     `json/reader`
    writing, quick    code that `gen/quick_json_writer` writes; `quick_json_transcoder`, from bytes
    writing, full     `json/writer`

Nothing here knows of calls, frames or tasks. The names of `__all__` are the public ones; a
module below may move in any release.
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
