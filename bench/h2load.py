"""Load from h2load: one fixed request body, sent over and over.

gRPC goes over HTTP/2, Connect over HTTP/1.1. h2load sees HTTP only, where every
gRPC answer is a 200. So the answers' bytes are counted too: an error has none.
"""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.processes import Cores, load_cores, pinned

__all__ = ["GRPC", "Load", "LoadFailed", "Result", "median_latency_ms", "parse", "run"]

GRPC = "application/grpc"
# What h2load may need beyond its own clock to connect and to end.
_GRACE_S = 20.0
_RATE = re.compile(r"finished in .*?, ([\d.]+) req/s")
_REQUESTS = re.compile(r"(\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout")
_STATUSES = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")
_DATA_BYTES = re.compile(r"\((\d+)\) data")
# Answers cut off by the end of the run are in the bytes but not in the count,
# and an id may be some digits shorter than the one that was looked at.
_LEAST_ANSWER = 0.8


class LoadFailed(Exception):
    """h2load could not measure, or the peer did not answer every request."""


@dataclass(frozen=True, slots=True)
class Load:
    """The requests to send: `answer_bytes` is the length of the right answer's body.

    A content type other than gRPC's is Connect's, with one call at a time a connection.
    """

    method: str
    body: bytes
    answer_bytes: int
    connections: int = 10
    streams: int = 10
    content_type: str = GRPC

    def options(self) -> list[str]:
        """The options that tell h2load of the protocol."""
        if self.content_type == GRPC:
            streams = f"--max-concurrent-streams={self.streams}"
            return [streams, f"--header=content-type: {GRPC}", "--header=te: trailers"]
        version = "--header=connect-protocol-version: 1"
        return ["--h1", f"--header=content-type: {self.content_type}", version]

    def payload(self) -> bytes:
        """The request's body on the wire: gRPC's has its length before it."""
        if self.content_type != GRPC:
            return self.body
        return b"\0" + len(self.body).to_bytes(4, "big") + self.body


@dataclass(frozen=True, slots=True)
class Result:
    """The figures that h2load printed."""

    calls_per_s: float
    calls: int
    data_bytes: int


def parse(output: str) -> Result:
    """Return the figures in `output`; raises LoadFailed unless every request succeeded."""
    rate, requests = _RATE.search(output), _REQUESTS.search(output)
    statuses, data = _STATUSES.search(output), _DATA_BYTES.search(output)
    if not (rate and requests and statuses and data):
        raise LoadFailed(f"h2load's output is not understood:\n{output}")
    done, succeeded, *bad = map(int, requests.groups())
    if any(bad) or any(map(int, statuses.groups()[1:])) or not done or succeeded != done:
        raise LoadFailed(f"not every request succeeded: {requests[0]}; {statuses[0]}")
    return Result(float(rate[1]), done, int(data[1]))


def median_latency_ms(log: str) -> float:
    """The median of a `--log-file`: start, status and microseconds a line."""
    return median(int(line.split("\t")[2]) for line in log.splitlines()) / 1000


def run(
    port: int,
    load: Load,
    seconds: float,
    warm_up_s: float,
    *,
    log: Path | None = None,
    cores: Cores | None = None,
) -> Result:
    """Load the server at `port`; raises LoadFailed where an answer was wrong or missing."""
    if log:
        # h2load appends to what an earlier turn has left.
        log.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(suffix=".bin") as body:
        body.write(load.payload())
        body.flush()
        command = [
            "h2load",
            f"--clients={load.connections}",
            f"--duration={round(seconds * 1000)}ms",
            f"--warm-up-time={round(warm_up_s * 1000)}ms",
            f"--data={body.name}",
            *load.options(),
            *([f"--log-file={log}"] if log else []),
            f"http://127.0.0.1:{port}/task.TaskService/{load.method}",
        ]
        with pinned(cores or load_cores()):
            result = parse(_output(command, seconds + warm_up_s + _GRACE_S))
    if result.data_bytes < _LEAST_ANSWER * load.answer_bytes * result.calls:
        raise LoadFailed(f"answers were too short: {result} for {load.answer_bytes} bytes each")
    return result


def _output(command: list[str], timeout_s: float) -> str:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=True
        ).stdout
    except subprocess.TimeoutExpired as error:
        raise LoadFailed(f"h2load did not end within {timeout_s:.0f} s") from error
    except subprocess.CalledProcessError as error:
        raise LoadFailed(f"h2load ended with {error.returncode}: {error.stderr}") from error
