import socket

import pytest

from servicekit.listening import open_listening_sockets, say_ready


@pytest.fixture
def opened():
    sockets = []
    yield sockets
    for each in sockets:
        each.close()


def test_every_address_of_a_host_shares_one_free_port(opened):
    opened += open_listening_sockets("localhost", 0)
    assert len({each.getsockname()[1] for each in opened}) == 1
    assert opened[0].getsockname()[1] > 0


def test_asyncio_can_tell_them_for_tcp_and_send_without_delay(opened):
    opened += open_listening_sockets("localhost", 0)
    assert {each.proto for each in opened} == {socket.IPPROTO_TCP}


def test_taken_port_is_refused_by_name(opened):
    opened += open_listening_sockets("127.0.0.1", 0)
    opened[0].listen()
    with pytest.raises(OSError, match="in use"):
        open_listening_sockets("127.0.0.1", opened[0].getsockname()[1])


def test_addresses_of_a_family_this_machine_lacks_are_passed_over(opened, monkeypatch):
    absent = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0))
    present = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [absent, present])
    opened += open_listening_sockets("both", 0)
    assert [each.getsockname()[0] for each in opened] == ["127.0.0.1"]


def test_host_without_a_usable_address_is_refused(monkeypatch):
    absent = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [absent])
    with pytest.raises(OSError, match="assign"):
        open_listening_sockets("absent", 0)


@pytest.mark.parametrize(
    ("host", "shown"), [("localhost", "localhost:8081"), ("::1", "[::1]:8081")]
)
def test_the_ready_line_holds_an_address_that_clients_take(host, shown, capfd):
    say_ready("command", host, 8081)
    assert capfd.readouterr().out == f"command listening on {shown}\n"
