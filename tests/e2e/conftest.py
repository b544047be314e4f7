"""Certificates for services that speak TLS; a pair of services for a whole file of tests."""

import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from tests.conftest import ROOT
from tests.processes import ServiceProcess


class Pair(NamedTuple):
    """Both services, and the folder that holds their `tasks.db`."""

    command: ServiceProcess
    query: ServiceProcess
    folder: Path

    @property
    def environment(self):
        """A shell's, in which programs of the project find the two."""
        beside_python = str(Path(sys.executable).parent)
        tools = str(ROOT / ".tools/node_modules/.bin")
        return os.environ | {
            "TASK_COMMAND": self.command.address,
            "TASK_QUERY": self.query.address,
            "PATH": os.pathsep.join([beside_python, tools, os.environ["PATH"]]),
        }

    def addressed(self, text):
        """`text` with the addresses of these two in place of the usual ones."""
        text = text.replace("localhost:8081", self.command.address)
        return text.replace("localhost:8082", self.query.address)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    database = folder / "tasks.db"
    with (
        ServiceProcess("command", database) as command,
        ServiceProcess("query", database) as query,
    ):
        yield Pair(command, query, folder)


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def certificate(authority, tmp_path):
    """Write a fresh certificate for localhost; answer the options that name it."""

    def write():
        issued = authority.issue_cert("localhost")
        issued.private_key_pem.write_to_path(tmp_path / "key.pem")
        for index, pem in enumerate(issued.cert_chain_pems):
            pem.write_to_path(tmp_path / "cert.pem", append=index > 0)
        return ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]

    return write
