"""What all connections of one server share."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from grpclib.const import Handler
from grpclib.encoding.base import CodecBase, StatusDetailsCodecBase

from grpcwire.counters import Counters
from grpcwire.dispatch import Dispatch
from grpcwire.grpc import Interpreter
from grpcwire.limits import Limits
from grpcwire.web.cors import Cors
from grpcwire.web.router import Router


@dataclass(slots=True)
class Engine:
    """Handlers, codecs, limits and counters of one server."""

    handlers: Mapping[str, Handler]
    codecs: Mapping[str, CodecBase]
    status_details_codec: StatusDetailsCodecBase | None
    dispatch: Dispatch
    limits: Limits
    counters: Counters
    loop: asyncio.AbstractEventLoop
    idempotent: frozenset[str] = frozenset()
    cors: Cors | None = None
    interpreter: Interpreter = field(init=False)
    router: Router = field(init=False)

    def __post_init__(self) -> None:
        self.interpreter = Interpreter(self.handlers, self.codecs)
        self.router = Router(
            self.interpreter, self.handlers, self.codecs, self.idempotent, self.cors
        )
