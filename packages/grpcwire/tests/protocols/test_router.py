"""Heads in, routes out: every protocol by its method, content type, path and version."""

from collections.abc import Mapping

import pytest
from grpclib.const import Status
from grpclib.health.service import Health
from wirescript.handlers import Calls, ProtobufJsonCodec, RawCodec

from grpcwire import Cors
from grpcwire.http.request_head import RequestHead
from grpcwire.http.response import Response
from grpcwire.protocols.connect import ConnectStream, ConnectUnary
from grpcwire.protocols.grpc import GrpcRoute, TrailersOnly
from grpcwire.protocols.grpc_web import GrpcWeb, GrpcWebText
from grpcwire.protocols.health import PlainHealth
from grpcwire.protocols.router import Router
from grpcwire.protocols.web_protocol import WebRoute

SAY = "/test.Test/Say"  # unary, without side effects
FAIL = "/test.Test/Fail"  # unary
DOWN = "/test.Test/Down"  # a stream of responses
PAGE = "https://app.example"
GOT = f"{SAY}?encoding=proto&message=hi"


def router(*handlers, cors: Cors | None = None) -> Router:
    mapping = {}
    for each in handlers or (Calls(), Health()):
        mapping |= each.__mapping__()
    codecs = {"proto": RawCodec(), "json": ProtobufJsonCodec()}
    return Router(mapping, codecs, frozenset({SAY, DOWN}), cors)


def head(method: str, path: str, **fields: str) -> RequestHead:
    pseudo = {b":method": method.encode(), b":scheme": b"http", b":path": path.encode("latin-1")}
    named = {name.replace("_", "-"): value for name, value in fields.items()}
    return RequestHead(pseudo, tuple((n.encode(), v.encode()) for n, v in named.items()), -1)


def post(path: str, content_type: str, **fields: str) -> RequestHead:
    return head("POST", path, content_type=content_type, **fields)


def grpc(path: str = SAY, content_type: str = "application/grpc", **fields: str) -> RequestHead:
    return post(path, content_type, te="trailers", **fields)


def route(head: RequestHead, *, http1: bool = False, cors: Cors | None = None):
    return router(cors=cors).route(head, http1=http1)


def named(response: Response) -> Mapping[bytes, bytes]:
    return dict(response.fields)


# gRPC.


@pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+proto"])
def test_grpc_has_its_own_route_over_http2(content_type):
    found = route(grpc(content_type=content_type))
    assert isinstance(found, GrpcRoute)
    assert (found.path, found.server_streaming, found.client_streaming) == (SAY, False, False)
    assert isinstance(found.codec, RawCodec)


def test_grpc_finds_its_codec_by_the_subtype():
    assert isinstance(route(grpc(content_type="application/grpc+json")).codec, ProtobufJsonCodec)


def test_grpc_over_http1_is_told_to_use_http2():
    assert route(grpc(), http1=True).status == 505


def test_an_unknown_method_of_grpc_is_unimplemented_in_the_head():
    found = route(grpc("/test.Test/None"))
    assert isinstance(found, TrailersOnly)


def test_a_path_that_is_not_ascii_is_only_unknown():
    assert isinstance(route(grpc("/\xff")), TrailersOnly)


def test_grpc_by_get_leads_where_http_leads():
    assert isinstance(route(head("GET", GOT, content_type="application/grpc")), WebRoute)


@pytest.mark.parametrize(
    ("encoding", "accepted", "gzipped", "compress"),
    [
        ("identity", "identity, gzip", False, False),
        ("gzip", "identity, gzip", True, True),
        ("gzip", "identity", True, False),
    ],
)
def test_grpc_compresses_for_those_that_compress(encoding, accepted, gzipped, compress):
    found = route(grpc(grpc_encoding=encoding, grpc_accept_encoding=accepted))
    assert (found.gzipped, found.compress) == (gzipped, compress)


# The other protocols, by their content types.

WEB = [
    ("application/proto", SAY, ConnectUnary),
    ("application/json", SAY, ConnectUnary),
    ("application/connect+proto", DOWN, ConnectStream),
    ("application/connect+json", DOWN, ConnectStream),
    ("application/grpc-web", SAY, GrpcWeb),
    ("application/grpc-web+proto", DOWN, GrpcWeb),
    ("application/grpc-web+json", SAY, GrpcWeb),
    ("application/grpc-web-text", SAY, GrpcWebText),
    ("application/grpc-web-text+proto", DOWN, GrpcWebText),
    ("application/grpc-web-text+json", SAY, GrpcWebText),
]


@pytest.mark.parametrize("http1", [False, True])
@pytest.mark.parametrize(("content_type", "path", "protocol"), WEB)
def test_a_content_type_names_its_protocol_on_both_versions(content_type, path, protocol, http1):
    found = route(post(path, content_type), http1=http1)
    assert isinstance(found, WebRoute)
    assert type(found.protocol) is protocol
    assert found.protocol.content_type == content_type.encode()
    assert (found.path, found.message) == (path, None)
    assert found.server_streaming is (path == DOWN)


@pytest.mark.parametrize("content_type", ["Application/JSON", "application/json; charset=utf-8"])
def test_case_and_parameters_of_a_content_type_do_not_matter(content_type):
    assert isinstance(route(post(SAY, content_type)), WebRoute)


@pytest.mark.parametrize(
    ("content_type", "path"),
    [
        ("application/proto", DOWN),
        ("application/connect+proto", SAY),
        ("text/html", SAY),
        ("application/grpc-web+xml", SAY),
        ("", SAY),
    ],
)
def test_other_content_types_are_415_and_name_the_right_ones(content_type, path):
    found = route(post(path, content_type))
    assert found.status == 415
    for accepted in ("application/proto", "application/connect+json", "application/grpc-web-text"):
        assert accepted.encode() in named(found)[b"accept-post"].split(b", ")


@pytest.mark.parametrize(
    ("content_type", "status"), [("application/json", 404), ("application/grpc-web", 200)]
)
def test_an_unknown_method_is_unimplemented_in_the_words_of_its_protocol(content_type, status):
    found = route(post("/test.Test/None", content_type))
    assert found.status == status
    assert b"unimplemented" in found.body or named(found)[b"grpc-status"] == b"12"


@pytest.mark.parametrize(
    ("content_type", "path", "field", "value"),
    [
        ("application/json", SAY, "connect_timeout_ms", "soon"),
        ("application/json", SAY, "connect_protocol_version", "2"),
        ("application/connect+json", DOWN, "connect_timeout_ms", "1s"),
        ("application/grpc-web", SAY, "grpc_timeout", "1"),
        ("application/grpc-web", SAY, "x_bin", "*"),
    ],
)
def test_headers_that_make_no_sense_are_invalid_arguments(content_type, path, field, value):
    fields = {"x-bin" if field == "x_bin" else field: value}
    found = route(post(path, content_type, **fields))
    text = found.body + named(found).get(b"grpc-status", b"")
    assert b"invalid_argument" in text or text == b"%d" % Status.INVALID_ARGUMENT.value


@pytest.mark.parametrize(
    ("content_type", "path", "fields", "timeout_s"),
    [
        ("application/json", SAY, {"connect_timeout_ms": "1500"}, 1.5),
        ("application/connect+json", DOWN, {"connect_timeout_ms": "0"}, 0.0),
        ("application/grpc-web", SAY, {"grpc_timeout": "2S"}, 2.0),
        ("application/json", SAY, {}, None),
        ("application/json", SAY, {"grpc_timeout": "2S"}, None),
    ],
)
def test_each_protocol_has_its_header_for_the_deadline(content_type, path, fields, timeout_s):
    assert route(post(path, content_type, **fields)).timeout_s == timeout_s


def test_metadata_is_without_the_protocols_own_headers():
    fields = {"x_note": "a", "connect_timeout_ms": "1", "accept_encoding": "gzip", "host": "h"}
    assert route(post(SAY, "application/json", **fields)).metadata == [("x-note", "a")]


# GET and HEAD.


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("http1", [False, True])
def test_a_method_without_side_effects_is_got(method, http1):
    found = route(head(method, GOT), http1=http1)
    assert isinstance(found, WebRoute)
    assert (found.path, found.message, found.gzipped) == (SAY, b"hi", False)
    assert (b"vary", b"Accept-Encoding") in found.extra


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", FAIL, 405, b"POST"),
        ("GET", DOWN, 405, b"POST"),  # only unary methods are got
        ("PUT", SAY, 405, b"GET, HEAD, POST"),
        ("POST", "/healthz", 405, b"GET, HEAD"),
        ("GET", "/test.Test/None", 404, None),
        ("OPTIONS", "/", 404, None),
        ("GET", f"{SAY}?encoding=xml&message=", 415, None),
        ("GET", f"{SAY}?connect=v2&encoding=proto&message=", 400, None),
        ("GET", f"{SAY}?encoding=proto", 400, None),
        ("GET", f"{SAY}?encoding=proto&base64=1&message=*", 400, None),
    ],
)
def test_what_http_alone_cannot_ask_is_answered_by_http(method, path, status, allow):
    found = route(head(method, path))
    assert (found.status, named(found).get(b"allow")) == (status, allow)


def test_healthz_asks_the_health_service():
    found = route(head("GET", "/healthz"))
    assert isinstance(found.protocol, PlainHealth)
    assert (found.handler.func.__name__, found.message) == ("Check", b"")


def test_healthz_is_not_found_without_a_health_service():
    assert router(Calls()).route(head("GET", "/healthz")).status == 404


# Browsers.

CORS = Cors(frozenset({PAGE}))


def test_a_preflight_is_answered_whatever_its_path():
    fields = {"origin": PAGE, "access_control_request_method": "POST"}
    found = route(head("OPTIONS", "/anything", **fields), cors=CORS)
    assert (found.status, named(found)[b"access-control-allow-origin"]) == (204, PAGE.encode())


def test_without_cors_a_preflight_is_a_request_like_others():
    fields = {"origin": PAGE, "access_control_request_method": "POST"}
    assert route(head("OPTIONS", SAY, **fields)).status == 405


@pytest.mark.parametrize(
    "request_head",
    [
        post(SAY, "application/json", origin=PAGE),
        post("/test.Test/None", "application/json", origin=PAGE),
        head("GET", "/nothing", origin=PAGE),
    ],
)
def test_calls_and_errors_may_be_read_by_an_allowed_page(request_head):
    found = route(request_head, cors=CORS)
    fields = found.fields if isinstance(found, Response) else found.extra
    assert (b"access-control-allow-origin", PAGE.encode()) in fields
