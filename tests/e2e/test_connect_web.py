"""connect-web's transports, from Node and from pages of another origin in Chromium."""

import base64
import json
import os
import queue
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from taskpb import descriptor_set
from tests.conftest import ROOT
from tests.processes import ServiceProcess

pytestmark = pytest.mark.long

TRANSPORTS = {"connect json", "connect proto", "connect GET", "grpc-web proto", "grpc-web json"}
PAGE = """<!doctype html><title>tasks</title><script type="module">
import { report } from "./connect_web.js";
const found = await report(CONFIG).catch(String);
await fetch("/report", { method: "POST", body: JSON.stringify(found) });
</script>"""
# Chromium as root, and without calls of its own.
CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
]


class Pages(ThreadingHTTPServer):
    """An origin of its own: a page that calls both services, and where it tells of it."""

    daemon_threads = True

    def __init__(self, script):
        super().__init__(("localhost", 0), Visitor)
        self.script = script
        self.config = {}
        self.reports = queue.Queue()

    @property
    def origin(self):
        return f"http://localhost:{self.server_port}"


class Visitor(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self):
        if self.path == "/":
            page = PAGE.replace("CONFIG", json.dumps(self.server.config))
            self._answer("text/html", page.encode())
        elif self.path == "/connect_web.js":
            self._answer("text/javascript", self.server.script.read_bytes())
        else:
            self.send_error(404)

    def do_POST(self):
        length = int(self.headers["content-length"])
        self.server.reports.put(json.loads(self.rfile.read(length)))
        self._answer("text/plain", b"")

    def _answer(self, content_type, body):
        self.send_response(200)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing: what counts is reported."""


@contextmanager
def serving(pages):
    thread = threading.Thread(target=pages.serve_forever, daemon=True)
    thread.start()
    yield pages
    pages.shutdown()
    pages.server_close()
    thread.join()


@pytest.fixture(scope="module")
def script(require_tool, tmp_path_factory):
    """`connect_web.mjs` with its packages, in one file."""
    bundle = tmp_path_factory.mktemp("script") / "connect_web.mjs"
    source = Path(__file__).with_name("connect_web.mjs")
    command = [require_tool("esbuild"), "--bundle", "--format=esm", f"--outfile={bundle}", source]
    packages = os.environ | {"NODE_PATH": str(ROOT / ".tools/node_modules")}
    subprocess.run([*command, "--log-level=error"], env=packages, check=True, timeout=60)
    return bundle


@pytest.fixture
def pages(script):
    with serving(Pages(script)) as pages:
        yield pages


@pytest.fixture(params=["http", "https"])
def config(request, certificate, pages, database):
    """Where both services are: one protocol of HTTP by each scheme, as browsers have it."""
    options = ["--cors-origin", pages.origin]
    if request.param == "https":
        options += certificate()
    with (
        ServiceProcess("command", database, *options) as command,
        ServiceProcess("query", database, *options) as query,
    ):
        yield {
            "command": f"{request.param}://localhost:{command.port}",
            "query": f"{request.param}://localhost:{query.port}",
            "descriptors": base64.b64encode(descriptor_set()).decode(),
        }


@pytest.fixture
def visit(require_tool, tmp_path):
    """The report of a page that Chromium opens."""
    program = require_tool("chromium")

    def visit(pages, config):
        pages.config = config
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        with subprocess.Popen(
            [program, *CHROMIUM, profile, pages.origin],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as browser:
            try:
                return pages.reports.get(timeout=60)
            finally:
                browser.terminate()

    return visit


def check(found):
    assert set(found) == TRANSPORTS
    for task_id, (transport, seen) in enumerate(found.items(), 1):
        task = {"id": task_id, "text": "täsk ☃", "tags": ["tag1", "tag2"]}
        assert seen["created"]["task"] == task, transport
        assert seen["got"] == {"task": task}, transport
        assert seen["listed"]["tasks"][0]["id"] == 1, transport
        assert seen["refused"]["code"] == "InvalidArgument", transport
        assert seen["refused"]["details"] == ["google.rpc.BadRequest"], transport
        assert seen["unknown"]["code"] == "NotFound", transport
        assert seen["elsewhere"]["code"] == "Unimplemented", transport


def test_node_calls_both_services(script, config, authority, require_tool, tmp_path):
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    program = (
        f"import {{ report }} from {json.dumps(script.as_uri())};"
        f"console.log(JSON.stringify(await report({json.dumps(config)})))"
    )
    done = subprocess.run(
        [require_tool("node"), "--input-type=module", "--eval", program],
        env=os.environ | {"NODE_EXTRA_CA_CERTS": str(trusted)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    check(json.loads(done.stdout))


def test_a_page_of_an_allowed_origin_calls_both_services(pages, config, visit):
    check(visit(pages, config))


def test_a_page_of_another_origin_learns_nothing(script, config, visit):
    with serving(Pages(script)) as elsewhere:
        found = visit(elsewhere, config)
    assert set(found) == TRANSPORTS
    for seen in found.values():
        assert {each["code"] for each in seen.values()} == {"Unknown"}
