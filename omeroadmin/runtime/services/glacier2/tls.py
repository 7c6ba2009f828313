"""The router's TLS: certificate and key from the PKCS#12 file, never below TLS 1.2."""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files

_VERSIONS = {"tls1_2": ssl.TLSVersion.TLSv1_2, "tls1_3": ssl.TLSVersion.TLSv1_3}
_LOG = logging.getLogger("omero.glacier2.tls")


def server_context(settings: Settings) -> ssl.SSLContext:
    """TLS settings from the properties ``IceSSL.*``, or ``omero.glacier2.IceSSL.*`` where those are missing.

    :raises AdminError: ``certificate-missing``, ``certificate-unreadable``, ``ciphers-invalid``
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    _set_versions(context, settings)
    _set_ciphers(context, _value(settings, "Ciphers"))
    certificate = _certificate_file(settings)
    _load(context, certificate, _value(settings, "Password"))
    return context


def _value(settings: Settings, name: str) -> str:
    given = settings.text(f"IceSSL.{name}").strip()
    return given or settings.text(f"omero.glacier2.IceSSL.{name}").strip()


def _set_versions(context: ssl.SSLContext, settings: Settings) -> None:
    names = [name.strip().lower() for name in _value(settings, "Protocols").split(",")]
    wanted = sorted(_VERSIONS[name] for name in names if name in _VERSIONS)
    context.minimum_version = wanted[0] if wanted else ssl.TLSVersion.TLSv1_2
    highest = _VERSIONS.get(_value(settings, "ProtocolVersionMax").lower(), ssl.TLSVersion.TLSv1_3)
    if wanted:
        highest = max(wanted[0], min(highest, wanted[-1]))
    context.maximum_version = highest
    refused = [name for name in names if name and name not in _VERSIONS]
    if refused:
        _LOG.warning("IceSSL.Protocols: %s is refused, TLS 1.2 is the oldest protocol served", ", ".join(refused))


def _set_ciphers(context: ssl.SSLContext, ciphers: str) -> None:
    # Anonymous Diffie-Hellman, OMERO's default without a certificate, protects from no man in the middle.
    if not ciphers or "ADH" in ciphers.replace("!ADH", ""):
        return
    try:
        context.set_ciphers(ciphers)
    except ssl.SSLError as error:
        raise configuration_error(
            "ciphers-invalid",
            f"IceSSL.Ciphers is {ciphers!r}, which selects no cipher",
            "omero config set omero.glacier2.IceSSL.Ciphers 'HIGH:!DHE'",
        ) from error


def _certificate_file(settings: Settings) -> Path:
    name = _value(settings, "CertFile")
    if not name:
        raise configuration_error(
            "certificate-missing", "IceSSL.CertFile is not set: the router has no certificate", "omero certificates"
        )
    return Path(_value(settings, "DefaultDir")) / name


def _load(context: ssl.SSLContext, path: Path, password: str) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        key, certificate, chain = pkcs12.load_key_and_certificates(
            files.read_bytes(path), password.encode() if password else None
        )
    except AdminError as error:
        raise configuration_error("certificate-missing", error.message, "omero certificates") from error
    except ValueError as error:
        raise _unreadable(path, "it is no PKCS#12 file, or IceSSL.Password is wrong") from error
    if key is None or certificate is None:
        raise _unreadable(path, "it lacks the key or the certificate")
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for item in (certificate, *chain):
        pem += item.public_bytes(serialization.Encoding.PEM)
    # Python's ssl module reads files only; this one exists in this process's memory alone.
    descriptor = os.memfd_create("omero-certificate", os.MFD_CLOEXEC)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(pem)
        stream.flush()
        try:
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        except ssl.SSLError as error:
            raise _unreadable(path, f"OpenSSL says {error.reason}") from error


def _unreadable(path: Path, why: str) -> AdminError:
    return configuration_error("certificate-unreadable", f"{path} can't be used: {why}", "omero certificates")
