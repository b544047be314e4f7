"""Bodies that are no message: refused alike for every method, and no handler is called."""

import grpc
import pytest

from tests.processes import ServiceProcess

MALFORMED = {
    "truncated string": b"\x0a\x05ab",
    "field number 0": b"\x02\x00",
    "invalid UTF-8": b"\x0a\x02\xff\xfe",
    "over-long varint": b"\x08" + b"\xff" * 10 + b"\x01",
    "end of no group": b"\x0c",
    "length past the end": b"\x0a\xff\xff\xff\xff\x0f",
}
METHODS = {"command": ["CreateTask", "GetTask"], "query": ["GetTask", "ListTasksByTag"]}


@pytest.mark.parametrize("engine", ["grpcwire", "grpclib"])
async def test_malformed_body_is_invalid_argument(database, engine):
    for name, methods in METHODS.items():
        with ServiceProcess(name, database, "--engine", engine) as service:
            async with grpc.aio.insecure_channel(service.address) as channel:
                for method in methods:
                    rpc = channel.unary_unary(f"/task.TaskService/{method}")
                    for what, body in MALFORMED.items():
                        with pytest.raises(grpc.aio.AioRpcError) as caught:
                            await rpc(body, timeout=5)
                        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, what
                        assert caught.value.details().isprintable()
            assert service.stop() == 0
            assert "error" not in service.log
