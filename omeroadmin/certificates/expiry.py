"""How long the server's certificate is still good, for diagnostics and metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from omeroadmin.certificates import files
from omeroadmin.certificates.facts import certificate_files
from omeroadmin.schema.settings import Settings
from omeroadmin.system.files import read_bytes


@dataclass(frozen=True)
class ExpiryFacts:
    """The certificate that clients see.

    :param path: the file it was read from
    :param names: host names and addresses that it is for
    """

    path: Path
    not_after: datetime
    names: tuple[str, ...]
    is_self_signed: bool

    def days_left(self, now: datetime) -> float:
        """Days until it ends; negative afterwards."""
        return (self.not_after - now).total_seconds() / 86400


def certificate_expiry(settings: Settings) -> ExpiryFacts | None:
    """Facts of the certificate, from the PKCS#12 file that is served, else from the PEM file.

    :return: ``None`` where none is configured or made yet
    :raises AdminError: ``file-not-read``
    """
    if not settings.text("omero.glacier2.IceSSL.DefaultDir").strip():
        return None
    places = certificate_files(with_names(settings))
    if places.bundle.exists():
        found = files.read_bundle(read_bytes(places.bundle), places.password)
        if found is not None:
            return ExpiryFacts(places.bundle, found.not_after, found.names, found.is_self_signed)
    if places.certificate.exists():
        found = files.read_certificate(read_bytes(places.certificate))
        if found is not None:
            return ExpiryFacts(places.certificate, found.not_after, found.names, found.is_self_signed)
    return None


def with_names(settings: Settings) -> Settings:
    """The settings, with OMERO's file names where none are set."""
    usual = {
        "omero.glacier2.IceSSL.CertFile": "server.p12",
        "omero.glacier2.IceSSL.CAs": "server.pem",
        "omero.certificates.key": "server.key",
    }
    return Settings({**usual, **{name: value for name, value in settings.explicit().items() if value.strip()}})
