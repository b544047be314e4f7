"""The services over TLS: certificates, client certificates, reloading."""

import signal
import ssl

import grpc
import pytest
import trustme
from grpclib.health.v1 import health_pb2

from tests.processes import ServiceProcess, eventually


def check(service, authority, client=None):
    credentials = grpc.ssl_channel_credentials(
        authority.cert_pem.bytes(),
        client and client.private_key_pem.bytes(),
        client and b"".join(pem.bytes() for pem in client.cert_chain_pems),
    )
    with grpc.secure_channel(service.address, credentials) as channel:
        call = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        return call(health_pb2.HealthCheckRequest(), timeout=5).status


def serial_number(service):
    return ssl.get_server_certificate(("localhost", service.port))


def test_service_answers_over_tls(database, authority, certificate):
    with ServiceProcess("command", database, *certificate()) as service:
        assert check(service, authority) == 1
        with pytest.raises(grpc.RpcError):
            check(service, trustme.CA())


def test_clients_without_a_certificate_are_turned_away(database, authority, certificate, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    options = [*certificate(), "--tls-client-ca", str(tmp_path / "ca.pem")]
    with ServiceProcess("query", database, *options) as service:
        assert check(service, authority, authority.issue_cert("me@example.org")) == 1
        for stranger in (None, trustme.CA().issue_cert("me@example.org")):
            with pytest.raises(grpc.RpcError):
                check(service, authority, stranger)


def test_hangup_takes_up_a_new_certificate(database, authority, certificate):
    with ServiceProcess("command", database, *certificate()) as service:
        before = serial_number(service)
        certificate()
        service.process.send_signal(signal.SIGHUP)
        eventually(lambda: serial_number(service) != before)
        assert check(service, authority) == 1


def test_broken_new_certificate_leaves_the_one_before(database, authority, certificate, tmp_path):
    with ServiceProcess("command", database, *certificate()) as service:
        (tmp_path / "cert.pem").write_text("no certificate")
        service.process.send_signal(signal.SIGHUP)
        eventually(lambda: "not reloaded" in service.log)
        assert check(service, authority) == 1


def test_unusable_certificate_is_one_plain_line(database, certificate, tmp_path):
    options = certificate()
    (tmp_path / "cert.pem").write_text("no certificate")
    with pytest.raises(AssertionError, match=r"cannot use --tls-cert .*cert\.pem"):
        ServiceProcess("command", database, *options)


def test_hangup_without_tls_changes_nothing(database, command):
    command.process.send_signal(signal.SIGHUP)
    assert command.stop() == 0
