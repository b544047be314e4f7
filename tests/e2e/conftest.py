"""Certificates for services that speak TLS."""

import pytest
import trustme


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
