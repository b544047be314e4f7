"""The parts of the peers: code generated from the contract, and the Go binary.

It lands in the build folder, a package for each generator, and is made anew at
every run. What can't be made is given as a reason, not raised: the peers that
need it are then left out.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "Generated", "build_go", "generate"]

ROOT = Path(__file__).resolve().parent.parent
_PROTO = ROOT / "proto" / "task.proto"
_TIMEOUT_S = 300.0
_GO_OPTIONS = "module=bench,Mtask.proto=bench/gen"


class Generated:
    """A generator's folder for PYTHONPATH, or the reason why there is none."""

    def __init__(self, folder: Path, missing: str | None) -> None:
        self.folder = folder
        self.missing = missing


def generate(build: Path) -> dict[str, Generated]:
    """Run each Python generator: `google`, `connect` and `stock`."""
    shutil.rmtree(build / "generated", ignore_errors=True)
    return {
        "google": _generate(build, "google", "", ["python", "grpc_python"]),
        "connect": _generate(build, "connect", "connect_code", ["py", "connectrpc"]),
        "stock": _generate(build, "stock", "stock_code", ["python_betterproto"]),
    }


def build_go(build: Path) -> tuple[Path, str | None]:
    """Build the grpc-go peer: its binary, or the reason why there is none."""
    binary = build / "go" / "peer"
    if shutil.which("go") is None:
        return binary, "Go is not installed"
    shutil.rmtree(build / "go", ignore_errors=True)
    shutil.copytree(ROOT / "bench" / "peers" / "go", build / "go")
    tools = build / "go" / "tools"
    plugins = [
        f"--plugin={name}={tools / name}" for name in ("protoc-gen-go", "protoc-gen-go-grpc")
    ]
    folder = build / "go"
    missing = (
        _failure(["go", "install", "tool"], folder, GOBIN=str(tools))
        or _failure(
            [
                *(_protoc() + plugins),
                f"--go_out={folder}",
                f"--go-grpc_out={folder}",
                f"--go_opt={_GO_OPTIONS}",
                f"--go-grpc_opt={_GO_OPTIONS}",
                _PROTO.name,
            ],
            folder,
        )
        or _failure(["go", "build", "-o", binary.name, "."], folder)
    )
    return binary, missing


def _generate(build: Path, name: str, package: str, plugins: list[str]) -> Generated:
    folder = build / "generated" / name
    target = folder / package
    target.mkdir(parents=True)
    outputs = [f"--{plugin}_out={target}" for plugin in plugins]
    return Generated(folder, _failure([*_protoc(), *outputs, _PROTO.name], build))


def _protoc() -> list[str]:
    return [sys.executable, "-m", "grpc_tools.protoc", f"-I{_PROTO.parent}"]


def _failure(command: list[str], folder: Path, **environment: str) -> str | None:
    """Why the command failed; None where it didn't."""
    scripts = str(Path(sys.executable).parent)
    path = os.pathsep.join([scripts, os.environ.get("PATH", "")])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PATH": path, **environment},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode:
        return f"{' '.join(command[:3])}: {done.stderr.strip()[-500:]}"
    return None
