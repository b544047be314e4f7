import socket

import pytest

from taskpb import TaskClient
from taskpb.channel import Address, connection_failure, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost:8081", Address("localhost", 8081)),
        ("127.0.0.1:1", Address("127.0.0.1", 1)),
        ("[::1]:65535", Address("::1", 65535)),
        ("db-1.example.com:443", Address("db-1.example.com", 443)),
    ],
)
def test_an_address_is_read_and_written_alike(text, address):
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "localhost",
        "localhost:",
        ":8081",
        "localhost:0",
        "localhost:65536",
        "localhost:99999999999999999999",
        "localhost:-1",
        "localhost:http",
        "localhost:٣",
        "::1:8081",
        "[::1]",
        "[localhost]:8081",
        "[]:8081",
        "[::1:8081",
        "a b:8081",
        "a..b:8081",
        f"{'a' * 64}:8081",
        "http://localhost:8081",
        "höst:1",
    ],
)
def test_what_is_not_an_address_is_a_value_error_that_quotes_it(text):
    with pytest.raises(ValueError, match=r"(is not HOST:PORT|has no port)"):
        parse_address(text)
    with pytest.raises(ValueError, match=r"(is not HOST:PORT|has no port)"):
        TaskClient(command=text)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('::1', 1)"), "connection refused"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call, [Errno 111] Connect call"),
            "connection refused",
        ),
        (
            OSError("Multiple exceptions: [Errno 101] Connect call, [Errno 111] Connect call"),
            "network is unreachable, connection refused",
        ),
        (socket.gaierror(-2, "Name or service not known"), "name or service not known"),
        (OSError("something else"), "something else"),
    ],
)
def test_why_a_connection_failed_is_said_in_the_systems_words(error, reason):
    assert connection_failure(error) == reason
