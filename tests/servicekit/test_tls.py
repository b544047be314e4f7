"""Handshakes in memory, with certificates of an authority made for the test."""

import ssl

import pytest
import trustme

from servicekit.settings import TlsFiles
from servicekit.tls import UnusableTlsFile, load_certificate, server_tls


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    return written(authority.issue_cert("localhost"), tmp_path_factory.mktemp("tls"))


def written(leaf, folder, client_ca=None):
    chain, key = folder / "chain.pem", folder / "key.pem"
    chain.write_bytes(b"".join(each.bytes() for each in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return TlsFiles(chain, key, client_ca)


def client_context(authority, *protocols, identity=None):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    context.set_alpn_protocols(protocols or ("h2",))
    if identity is not None:
        identity.configure_cert(context)
    return context


def shake_hands(client, server):
    """The client's end of a connection that both sides have agreed on."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        for end in list(waiting):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(end)
    return ours


def test_the_servers_best_protocol_that_a_client_offers_is_agreed_on(authority, files):
    server = server_tls(files, ("h2", "http/1.1"))
    both = shake_hands(client_context(authority, "http/1.1", "h2"), server)
    assert both.selected_alpn_protocol() == "h2"
    old = shake_hands(client_context(authority, "http/1.1"), server)
    assert old.selected_alpn_protocol() == "http/1.1"


def test_versions_before_1_2_are_refused(authority, files):
    assert server_tls(files, ("h2",)).minimum_version is ssl.TLSVersion.TLSv1_2


def test_with_a_client_ca_only_its_clients_are_let_in(authority, tmp_path):
    pem = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(pem)
    server = server_tls(written(authority.issue_cert("localhost"), tmp_path, pem), ("h2",))
    shake_hands(client_context(authority, identity=authority.issue_cert("client")), server)
    strangers = [None, trustme.CA().issue_cert("client")]
    for identity in strangers:
        with pytest.raises(ssl.SSLError):
            shake_hands(client_context(authority, identity=identity), server)


def test_a_certificate_that_is_loaded_anew_is_shown_from_then_on(authority, files, tmp_path):
    server = server_tls(files, ("h2",))
    renewed = authority.issue_cert("localhost")
    load_certificate(server, written(renewed, tmp_path))
    shown = shake_hands(client_context(authority), server).getpeercert(binary_form=True)
    assert ssl.DER_cert_to_PEM_cert(shown).encode() == renewed.cert_chain_pems[0].bytes()


def test_an_unusable_file_names_its_option_and_leaves_the_one_before(authority, files, tmp_path):
    server = server_tls(files, ("h2",))
    broken = written(authority.issue_cert("localhost"), tmp_path)
    broken.key.write_text("nonsense")
    with pytest.raises(UnusableTlsFile, match=r"--tls-cert \S+ with --tls-key \S+: "):
        load_certificate(server, broken)
    shake_hands(client_context(authority), server)


def test_an_unusable_client_ca_names_its_option(files, tmp_path):
    pem = tmp_path / "ca.pem"
    pem.write_text("nonsense")
    with pytest.raises(UnusableTlsFile, match="--tls-client-ca "):
        server_tls(TlsFiles(files.certificate, files.key, pem), ("h2",))
