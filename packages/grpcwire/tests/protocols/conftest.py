"""One server for all protocols, asked over both versions of HTTP."""

import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import RetryInfo
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from wirescript.handlers import RawCodec
from wirescript.http import fetch_http1, fetch_http2

from grpcwire import current_call

IDEMPOTENT = ["/test.Test/Say", "/test.Test/Fail"]


class RawJsonCodec(RawCodec):
    __content_subtype__ = "json"


class Failing:
    """Ends every call with a status of the request's choice."""

    async def end(self, stream):
        name = (await stream.recv_message()).decode()
        call = current_call()
        call.initial_metadata["x-initial"] = "one"
        call.trailing_metadata["x-trailing"] = "two"
        packed = Any()
        packed.Pack(RetryInfo())
        packed.value = b"\x0a\x02\x08\x03"
        details = status_pb2.Status(code=5, details=[packed]).SerializeToString()
        raise GRPCError(Status[name], "ends with é %", details)

    async def partly(self, stream):
        await stream.recv_message()
        await stream.send_message(b"first")
        raise GRPCError(Status.ABORTED, "then not")

    def __mapping__(self):
        kinds = {"End": Cardinality.UNARY_UNARY, "EndStream": Cardinality.UNARY_STREAM}
        mapping = {
            f"/test.Failing/{name}": Handler(self.end, kind, bytes, bytes)
            for name, kind in kinds.items()
        }
        partly = Handler(self.partly, Cardinality.UNARY_STREAM, bytes, bytes)
        return mapping | {"/test.Failing/Partly": partly}


@pytest.fixture(params=[fetch_http1, fetch_http2], ids=["HTTP/1.1", "HTTP/2"])
def fetch_from(request):
    return request.param


@pytest.fixture
async def port(serve, calls):
    _, port = await serve(
        handlers=[calls, Failing()], codecs=[RawJsonCodec()], idempotent=IDEMPOTENT
    )
    return port


@pytest.fixture
def fetch(fetch_from, port):
    """Ask the server of `port`."""

    async def ask(method, path, headers=None, body=None):
        return await fetch_from(port, method, path, headers, body)

    return ask
