"""One request over HTTP/1.1, as a unary Connect client sends it."""

import http.client

__all__ = ["is_answering", "post"]

_TIMEOUT_S = 10.0


def post(port: int, method: str, content_type: str, body: bytes) -> tuple[int, bytes]:
    """The status and body that a call is answered with; raises OSError, HTTPException."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        headers = {"content-type": content_type, "connect-protocol-version": "1"}
        connection.request("POST", f"/task.TaskService/{method}", body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def is_answering(port: int) -> bool:
    """True if a server at `port` answers a call, with whatever status."""
    try:
        post(port, "GetTask", "application/json", b"{}")
    except (OSError, http.client.HTTPException):
        return False
    return True
