"""Whom a client trusts: certificates are verified always, with the name of the host, and TLS is 1.2 at least."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import configuration_error


@dataclass(frozen=True)
class Trust:
    """The authorities that a server's certificate may come from.

    :param ca_file: PEM file of authorities, or a server's self-signed certificate
    :param system: whether the system's trust store counts as well
    """

    ca_file: Path | None = None
    system: bool = True


def tls_context(trust: Trust) -> ssl.SSLContext:
    """What a connection needs to verify a server.

    :raises AdminError: ``ca-file-invalid``
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A self-signed server certificate in the file is an anchor though it is no authority.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if trust.ca_file is not None:
        try:
            context.load_verify_locations(trust.ca_file)
        except OSError as error:
            reason = "it holds no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
            raise configuration_error(
                "ca-file-invalid",
                f"the certificates of {trust.ca_file} can't be read: {reason}",
                "name a PEM file that you can read: --ca-file FILE or OMERO_CA_FILE",
            ) from error
    if trust.system:
        context.load_default_certs()
    return context
