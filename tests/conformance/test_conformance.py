"""The Connect project's conformance runner against grpcwire: every case, none excused.

The runner comes by the Go module proxy, and its module brings the proto that the
service under test is generated from.
"""

import os
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from grpc_tools import protoc

from tests.conftest import ROOT

MODULE = "connectrpc.com/conformance"
VERSION = "v1.0.7"
PROTO = "connectrpc/conformance/v1"
FEATURES = """
features:
  versions: [HTTP_VERSION_1, HTTP_VERSION_2]
  protocols: [PROTOCOL_CONNECT, PROTOCOL_GRPC, PROTOCOL_GRPC_WEB]
  codecs: [CODEC_PROTO, CODEC_JSON]
  compressions: [COMPRESSION_IDENTITY, COMPRESSION_GZIP]
  stream_types:
    - STREAM_TYPE_UNARY
    - STREAM_TYPE_CLIENT_STREAM
    - STREAM_TYPE_SERVER_STREAM
    - STREAM_TYPE_HALF_DUPLEX_BIDI_STREAM
    - STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM
  supports_h2c: true
  supports_tls: true
  supports_tls_client_certs: true
  supports_trailers: true
  supports_half_duplex_bidi_over_http1: true
  supports_connect_get: true
  supports_message_receive_limit: true
"""
LEAST_CASES = 3820

pytestmark = pytest.mark.long


@pytest.fixture(scope="session")
def runner(require_tool, tmp_path_factory):
    """The runner's program and the folder of its proto."""
    go = require_tool("go")
    bin_folder = tmp_path_factory.mktemp("bin")
    environment = os.environ | {"GOBIN": str(bin_folder)}
    install = [go, "install", f"{MODULE}/cmd/connectconformance@{VERSION}"]
    subprocess.run(install, env=environment, check=True, timeout=900)
    asked = [go, "env", "GOMODCACHE"]
    cache = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
    return bin_folder / "connectconformance", Path(
        cache.stdout.strip(), f"{MODULE}@{VERSION}/proto"
    )


@pytest.fixture(scope="session")
def generated(runner, tmp_path_factory):
    """betterproto's classes of the conformance service, and its descriptors."""
    proto = runner[1]
    out = tmp_path_factory.mktemp("generated")
    sources = [f"{PROTO}/{path.name}" for path in sorted((proto / PROTO).glob("*.proto"))]
    plugin = Path(sys.executable).with_name("protoc-gen-python_betterproto")
    assert (
        protoc.main(
            [
                "protoc",
                f"-I{proto}",
                f"-I{files('grpc_tools') / '_proto'}",
                f"--plugin=protoc-gen-python_betterproto={plugin}",
                f"--python_betterproto_out={out}",
                "--include_imports",
                f"--descriptor_set_out={out / 'descriptors.bin'}",
                *sources,
            ]
        )
        == 0
    )
    return out


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_every_case_passes(runner, generated, tmp_path, loop):
    config = tmp_path / "features.yaml"
    config.write_text(FEATURES)
    service = [sys.executable, str(ROOT / "tests/conformance/service.py")]
    service += [str(generated / "descriptors.bin"), loop]
    options = ["--conf", str(config), "--mode", "server", "--"]
    paths = [str(generated), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [runner[0], *options, *service],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    totals = re.search(r"Total cases: (\d+)\n(\d+) passed, (\d+) failed", done.stdout)
    assert totals, done.stdout[-5000:]
    print(totals[0])
    total, passed, failed = map(int, totals.groups())
    assert (done.returncode, failed, passed) == (0, 0, total), done.stdout[:5000]
    assert total >= LEAST_CASES
    assert "Traceback" not in done.stdout
