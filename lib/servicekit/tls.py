"""TLS for a service, from its PEM files."""

import ssl
from collections.abc import Sequence

from servicekit.settings import TlsFiles

__all__ = ["load_certificate", "server_tls"]


def server_tls(files: TlsFiles, protocols: Sequence[str]) -> ssl.SSLContext:
    """A server's context that offers `protocols` by ALPN; raises OSError.

    With a client CA, a client without a certificate of it is turned away.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, files)
    context.set_alpn_protocols(list(protocols))
    if files.client_ca is not None:
        context.load_verify_locations(files.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def load_certificate(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Read the certificate, for the handshakes from now on; raises OSError."""
    context.load_cert_chain(files.certificate, files.key)
