"""What is there: the properties in force and the three files that they name."""

from __future__ import annotations

import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.certificates import files as contents
from omeroadmin.certificates import names
from omeroadmin.schema.settings import Settings
from omeroadmin.system.host import Host

_ICE = "omero.glacier2.IceSSL"
_OWN = "omero.certificates"


@dataclass(frozen=True)
class CertificateFiles:
    """Where the files are, and what protects the PKCS#12 file."""

    directory: Path
    key: Path
    certificate: Path
    bundle: Path
    password: str = field(repr=False)


@dataclass(frozen=True)
class CertificateFacts:
    """What the files hold.

    :param key_public: public half of the key; ``None`` where the key is missing or unreadable
    :param key_present: whether there is a key file
    :param certificate: first certificate of the PEM file
    :param bundle: certificate of the PKCS#12 file, if the password opens it
    :param bundle_present: whether there is a PKCS#12 file
    :param open_modes: files with secrets that others than the owner may read
    :param common_name: ``omero.certificates.commonname``
    :param owner: parts of ``omero.certificates.owner``
    :param local_names: names of this machine
    """

    files: CertificateFiles
    directory_present: bool
    key_public: bytes | None
    key_present: bool
    certificate: contents.CertificateDetails | None
    certificate_present: bool
    bundle: contents.CertificateDetails | None
    bundle_present: bool
    open_modes: tuple[Path, ...]
    common_name: str
    owner: tuple[tuple[str, str], ...]
    local_names: tuple[str, ...]


def missing_properties(settings: Settings) -> dict[str, str]:
    """Properties that the certificates need and that the profile leaves empty, with the values to set.

    The names are OMERO's. A new password is random.
    """
    wanted = {
        f"{_ICE}.DefaultDir": str(settings.data_directory / "certs"),
        f"{_OWN}.commonname": "localhost",
        f"{_OWN}.owner": "/L=OMERO/O=OMERO.server",
        f"{_OWN}.key": "server.key",
        f"{_ICE}.CertFile": "server.p12",
        f"{_ICE}.CAs": "server.pem",
        f"{_ICE}.Password": "",
        f"{_ICE}.Ciphers": "HIGH",
        f"{_ICE}.ProtocolVersionMax": "TLS1_3",
        f"{_ICE}.Protocols": "TLS1_2,TLS1_3",
    }
    present = settings.explicit()
    missing = {name: value for name, value in wanted.items() if not present.get(name, "").strip()}
    if f"{_ICE}.Password" in missing:
        missing[f"{_ICE}.Password"] = secrets.token_urlsafe(24)
    return missing


def with_properties(settings: Settings, properties: dict[str, str]) -> Settings:
    """The settings as they will be when these properties are set."""
    return Settings({**settings.explicit(), **properties})


def certificate_files(settings: Settings) -> CertificateFiles:
    """The files that the properties name; a file name may be an absolute path, as IceSSL allows.

    :raises AdminError: ``setting-invalid`` where a property is empty
    """
    directory = settings.path(f"{_ICE}.DefaultDir")
    return CertificateFiles(
        directory,
        key=directory / settings.path(f"{_OWN}.key"),
        certificate=directory / settings.path(f"{_ICE}.CAs"),
        bundle=directory / settings.path(f"{_ICE}.CertFile"),
        password=settings.text(f"{_ICE}.Password"),
    )


def collect_facts(settings: Settings, host: Host) -> CertificateFacts:
    """Read the files.

    :param settings: with all properties of :func:`missing_properties` set
    :raises AdminError: ``setting-invalid``, ``certificate-name-invalid``, ``certificate-owner-invalid``,
        ``file-not-read``
    """
    places = certificate_files(settings)
    key = _content(host, places.key)
    certificate = _content(host, places.certificate)
    bundle = _content(host, places.bundle)
    return CertificateFacts(
        files=places,
        directory_present=host.facts(places.directory) is not None,
        key_public=contents.public_key_of(key) if key is not None else None,
        key_present=key is not None,
        certificate=contents.read_certificate(certificate) if certificate is not None else None,
        certificate_present=certificate is not None,
        bundle=contents.read_bundle(bundle, places.password) if bundle is not None else None,
        bundle_present=bundle is not None,
        open_modes=tuple(path for path in (places.key, places.bundle) if _is_open(host, path)),
        common_name=names.common_name(settings.text(f"{_OWN}.commonname")),
        owner=names.owner_parts(settings.text(f"{_OWN}.owner")),
        local_names=names.local_names(),
    )


def _content(host: Host, path: Path) -> bytes | None:
    return None if host.facts(path) is None else host.read(path)


def _is_open(host: Host, path: Path) -> bool:
    found = host.facts(path)
    return found is not None and bool(found.mode & (stat.S_IRWXG | stat.S_IRWXO))
