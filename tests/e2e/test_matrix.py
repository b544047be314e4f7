"""Every protocol on every way to it: each rpc, its answer and each error of the contract."""

import asyncio
import base64
import json
import ssl
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import uuid4

import grpc
import pytest
import trustme
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest
from grpclib.encoding.proto import ProtoStatusDetailsCodec
from grpclib.health.check import ServiceStatus
from grpclib.health.service import OVERALL, Health
from grpclib.reflection.v1.reflection_pb2 import (
    ServerReflectionRequest,
    ServerReflectionResponse,
)
from wirescript.http import fetch_http1, fetch_http2

from command.service import CommandService
from grpcwire import Server, idempotent_methods, with_reflection
from protowire import Codec, JsonCodec
from query.service import QueryService
from taskpb import descriptor_set
from taskstore import SqliteLocation, open_reader, open_writer
from tests.conftest import ROOT

WAYS = [
    ("connect", "HTTP/1.1"),
    ("connect", "h2c"),
    ("connect", "TLS"),
    ("grpc", "h2c"),
    ("grpc", "TLS"),
    ("grpcweb", "HTTP/1.1"),
    ("grpcweb", "h2c"),
    ("grpcweb", "TLS"),
]
REPEATED = str(uuid4())
# Half, method, request, what the client is told.
ERRORS = [
    ("command", "CreateTask", {"text": " ", "tags": ["a", ""]}, "invalid_argument"),
    ("command", "CreateTask", {"text": "other", "requestId": REPEATED}, "already_exists"),
    ("command", "GetTask", {"taskId": "1"}, "unimplemented"),
    ("command", "ListTasksByTag", {}, "unimplemented"),
    ("query", "CreateTask", {"text": "t"}, "unimplemented"),
    ("query", "GetTask", {"taskId": "999"}, "not_found"),
    ("query", "GetTask", {"taskId": "x"}, "invalid_argument"),
    ("query", "GetTask", {"taskId": "1", "consistencyToken": "x"}, "invalid_argument"),
    ("query", "ListTasksByTag", {"pageSize": -1}, "invalid_argument"),
    ("query", "ListTasksByTag", {"pageSize": 1, "pageToken": "x"}, "invalid_argument"),
    ("query", "ListTasksByTag", {"tagName": "large"}, "resource_exhausted"),
]


@dataclass
class Running:
    """The ports of both services, plain and under TLS, and whom to trust there."""

    ports: dict[tuple[str, str], int]
    authority: str
    trust: ssl.SSLContext

    def url(self, half, way):
        scheme = "https" if way == "TLS" else "http"
        return f"{scheme}://localhost:{self.ports[half, scheme]}"


@pytest.fixture
async def running(database, tmp_path):
    location = SqliteLocation(database)
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    tls.set_alpn_protocols(["h2", "http/1.1"])
    async with AsyncExitStack() as stack:
        writer = await open_writer(location)
        stack.push_async_callback(writer.close)
        reader = await open_reader(location)
        stack.push_async_callback(reader.close)
        await writer.create("task", ["tag1", "tag2"], None)
        ports = {}
        for name, service in (
            ("command", CommandService(writer)),
            ("query", QueryService(reader)),
        ):
            serving = ServiceStatus()
            serving.set(True)
            for scheme, context in (("http", None), ("https", tls)):
                server = await stack.enter_async_context(
                    Server(
                        with_reflection([service, Health({OVERALL: [serving]})], descriptor_set()),
                        codec=Codec(),
                        codecs=[JsonCodec()],
                        status_details_codec=ProtoStatusDetailsCodec(),
                        idempotent=idempotent_methods(descriptor_set()),
                    )
                )
                await server.start("127.0.0.1", 0, ssl=context)
                ports[name, scheme] = server.sockets[0].getsockname()[1]
        trusted = tmp_path / "authority.pem"
        authority.cert_pem.write_to_path(trusted)
        trust = ssl.create_default_context(cafile=str(trusted))
        yield Running(ports, str(trusted), trust)


@pytest.fixture
def curl(running, require_tool):
    """Ask by `buf curl`: what it prints, answer or error."""
    program = require_tool("buf")

    async def call(protocol, way, half, method, request, *, schema="proto"):
        options = ["--protocol", protocol]
        options += ["--http2-prior-knowledge"] if way == "h2c" else []
        options += ["--cacert", running.authority] if way == "TLS" else []
        options += ["--schema", schema] if schema else []
        data = request if isinstance(request, str) else json.dumps(request)
        url = f"{running.url(half, way)}/task.TaskService/{method}"
        process = await asyncio.create_subprocess_exec(
            *[program, "curl", *options, "--data", data, url],
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        return json.loads(out or err)

    return call


@pytest.mark.parametrize(("protocol", "way"), [("connect", "HTTP/1.1"), ("grpcweb", "TLS")])
async def test_a_task_is_created_and_read(curl, protocol, way):
    request = '{"text": "task", "tags": ["tag1", "tag2"]}'
    created = await curl(protocol, way, "command", "CreateTask", request)
    task = {"id": 2, "text": "task", "tags": ["tag1", "tag2"]}
    assert created["task"] == task
    assert await curl(protocol, way, "query", "GetTask", {"taskId": "2"}) == {"task": task}
    listed = await curl(protocol, way, "query", "ListTasksByTag", "")
    assert listed == {"tasks": [task | {"id": 1}, task]}


@pytest.mark.long
@pytest.mark.parametrize(("protocol", "way"), WAYS)
async def test_answers_and_errors_are_the_same_on_every_way(curl, running, protocol, way):
    large = {"text": "x" * 16_384, "tags": ["large"]}
    headers = {"content-type": "application/json"}
    port = running.ports["command", "http"]
    path = "/task.TaskService/CreateTask"
    for _ in range(257):
        response = await fetch_http2(port, "POST", path, headers, json.dumps(large).encode())
        assert response.status == 200
    first = await curl(protocol, way, "command", "CreateTask", {"text": "t", "requestId": REPEATED})
    again = await curl(protocol, way, "command", "CreateTask", {"text": "t", "requestId": REPEATED})
    assert first == again
    got = await curl(protocol, way, "query", "GetTask", {"taskId": "1"})
    assert got["task"]["text"] == "task"
    listed = await curl(protocol, way, "query", "ListTasksByTag", {"tagName": "tag2"})
    assert [task["id"] for task in listed["tasks"]] == [1]
    for half, method, request, code in ERRORS:
        error = await curl(protocol, way, half, method, request)
        assert error["code"] == code, (half, method, request, error)
        if request.get("text") == " ":
            [detail] = [each for each in error["details"] if each["type"].endswith("BadRequest")]
            assert detail["type"] == "google.rpc.BadRequest"
            named = BadRequest.FromString(base64.b64decode(detail["value"] + "=="))
            assert {each.field for each in named.field_violations} == {"text", "tags[1]"}


@pytest.mark.parametrize("protocol", ["connect", "grpc"])
async def test_buf_needs_no_schema(curl, protocol):
    way = "h2c" if protocol == "grpc" else "HTTP/1.1"
    got = await curl(protocol, way, "query", "GetTask", {"taskId": "1"}, schema=None)
    assert got["task"]["id"] == 1


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("fetch", [fetch_http1, fetch_http2], ids=["HTTP/1.1", "HTTP/2"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_plain_http_is_enough(running, fetch, scheme):
    async def ask(half, verb, path, body=None):
        tls = running.trust if scheme == "https" else None
        port = running.ports[half, scheme]
        return await fetch(port, verb, path, JSON if body else None, body, ssl=tls)

    created = await ask("command", "POST", "/task.TaskService/CreateTask", b'{"text":"t"}')
    assert json.loads(created.body)["task"] == {"id": 2, "text": "t"}
    got = await ask(
        "query", "GET", '/task.TaskService/GetTask?encoding=json&message={"taskId":"2"}'
    )
    assert json.loads(got.body) == {"task": {"id": 2, "text": "t"}}
    refused = await ask("command", "POST", "/task.TaskService/CreateTask", b"{}")
    assert (refused.status, json.loads(refused.body)["code"]) == (400, "invalid_argument")
    [detail] = json.loads(refused.body)["details"]
    assert detail["type"] == BadRequest.DESCRIPTOR.full_name
    assert (await ask("query", "GET", "/healthz")).body == b"SERVING\n"


async def test_grpcio_learns_the_schema_from_the_port_it_calls(running):
    address = f"127.0.0.1:{running.ports['query', 'http']}"
    async with grpc.aio.insecure_channel(address) as channel:
        reflect = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            ServerReflectionRequest.SerializeToString,
            ServerReflectionResponse.FromString,
        )
        question = ServerReflectionRequest(file_containing_symbol="task.TaskService")
        answer = await anext(aiter(reflect(iter([question]), timeout=5)))
        pool = DescriptorPool()
        for file in answer.file_descriptor_response.file_descriptor_proto:
            pool.AddSerializedFile(file)
        method = pool.FindServiceByName("task.TaskService").FindMethodByName("GetTask")
        request, response = map(GetMessageClass, (method.input_type, method.output_type))
        call = channel.unary_unary(
            "/task.TaskService/GetTask", request.SerializeToString, response.FromString
        )
        assert (await call(request(task_id="1"), timeout=5)).task.text == "task"
