"""The torture and task messages, by betterproto, by stock betterproto and by protobuf's upb."""

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import grpc_tools
import pytest
from google.protobuf.internal import api_implementation

import protowire

HERE = Path(__file__).parent


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # betterproto resolves type hints by the module's name
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """A folder with the Python of both protos, betterproto's and protoc's."""
    out = tmp_path_factory.mktemp("generated")
    plugin = Path(sys.executable).parent / "protoc-gen-python_betterproto"
    assert plugin.exists(), f"betterproto's compiler is missing: {plugin}"
    for proto in (HERE / "torture.proto", HERE / "task.proto"):
        command = [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{proto.parent}",
            f"-I{Path(grpc_tools.__file__).parent / '_proto'}",
            f"--plugin={plugin}",
            f"--python_betterproto_out={out}",
            f"--python_out={out}",
            str(proto),
        ]
        subprocess.run(command, check=True, capture_output=True)
    return out


@pytest.fixture(scope="session")
def torture(generated):
    """The torture messages, compiled."""
    module = _load("torture_fast", generated / "torture" / "__init__.py")
    protowire.compile_messages(module, leave_out=True)
    return module


@pytest.fixture(scope="session")
def stock(generated):
    """The torture messages as betterproto has them."""
    return _load("torture_stock", generated / "torture" / "__init__.py")


@pytest.fixture(scope="session")
def task(generated):
    """The task messages, compiled."""
    module = _load("task_fast", generated / "task" / "__init__.py")
    protowire.compile_messages(module)
    return module


@pytest.fixture(scope="session")
def upb(generated):
    """Both protos by protobuf's own runtime: `upb.torture`, `upb.task`."""
    assert api_implementation.Type() == "upb"
    return SimpleNamespace(
        torture=_load("torture_pb2", generated / "torture_pb2.py"),
        task=_load("task_pb2", generated / "task_pb2.py"),
    )


@pytest.fixture(scope="session")
def pairs(torture, task, upb):
    """Every message class of ours beside upb's."""
    return [
        (getattr(module, name), getattr(oracle, name))
        for module, oracle in ((torture, upb.torture), (task, upb.task))
        for name in oracle.DESCRIPTOR.message_types_by_name
        if name != "WrappedMany"  # betterproto can't tell its fields: see test_compiler
    ]
