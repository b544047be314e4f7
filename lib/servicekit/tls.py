"""TLS for a service, from its PEM files."""

import ssl
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from servicekit.settings import TlsFiles

__all__ = ["UnusableTlsFile", "load_certificate", "server_tls"]


class UnusableTlsFile(OSError):
    """TLS can't be served with a file; the text names its option."""


def server_tls(files: TlsFiles, protocols: Sequence[str]) -> ssl.SSLContext:
    """Return a server's context that offers `protocols` by ALPN; raises UnusableTlsFile.

    With a client CA, a client without a certificate of it is turned away.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, files)
    context.set_alpn_protocols(list(protocols))
    if files.client_ca is not None:
        with _naming(f"--tls-client-ca {files.client_ca}"):
            context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Read the certificate, for the handshakes from now on.

    Raises UnusableTlsFile, and leaves the certificate as it was then.
    """
    with _naming(f"--tls-cert {files.certificate} with --tls-key {files.key}"):
        # OpenSSL takes a certificate before it looks at the key: a key that does not fit
        # would leave the context without either. So the pair is tried apart first.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
        context.load_cert_chain(files.certificate, files.key)


@contextmanager
def _naming(options: str) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise UnusableTlsFile(f"{options}: {error}") from error
