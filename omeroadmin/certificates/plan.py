"""Decides what has to be made, and makes it: key, self-signed certificate, PKCS#12 file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from omeroadmin.certificates import files
from omeroadmin.certificates.facts import CertificateFacts, CertificateFiles
from omeroadmin.certificates.names import unique
from omeroadmin.errors import configuration_error, usage_error
from omeroadmin.steps.kinds import MakeDirectory
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import clock
from omeroadmin.system.files import PLAIN_MODE, SECRET_MODE
from omeroadmin.system.host import Host

RENEWAL = timedelta(days=30)
"""A certificate is renewed when it has less than this, or less than a third of its life, before it."""

LONGEST_DAYS = 3650


@dataclass(frozen=True)
class CertificateWish:
    """What was asked for.

    :param days: validity of a new certificate
    :param renew: whether to replace a certificate that is still good
    """

    days: int = 365
    renew: bool = False


@dataclass(frozen=True)
class MakeKey:
    """Make the private key."""

    path: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"make private key {self.path} (RSA, {files.KEY_BITS} bits, mode {SECRET_MODE:04o})"

    def apply(self, host: Host) -> None:
        """Make the change."""
        host.write(self.path, files.new_key(), mode=SECRET_MODE)


@dataclass(frozen=True)
class IssueCertificate:
    """Issue the self-signed certificate.

    :param reason: why now, for the plan
    """

    key: Path
    path: Path
    wanted: files.Wanted
    reason: str

    def describe(self) -> str:
        """One line for the plan."""
        return (
            f"issue certificate {self.path} for {', '.join(self.wanted.names)},"
            f" valid for {self.wanted.days} days ({self.reason})"
        )

    def apply(self, host: Host) -> None:
        """Make the change."""
        content = files.self_signed(host.read(self.key), self.wanted, clock.utc_now())
        host.write(self.path, content, mode=PLAIN_MODE)


@dataclass(frozen=True)
class BundleCertificate:
    """Put key and certificate into the PKCS#12 file."""

    key: Path
    certificate: Path
    path: Path
    password: str = field(repr=False)

    def describe(self) -> str:
        """One line for the plan; the password is not shown."""
        return f"write {self.path} with key and certificate (PKCS#12, mode {SECRET_MODE:04o})"

    def apply(self, host: Host) -> None:
        """Make the change."""
        content = files.bundle(host.read(self.key), host.read(self.certificate), self.password)
        host.write(self.path, content, mode=SECRET_MODE)


@dataclass(frozen=True)
class CloseFile:
    """Take a file with a secret away from other users' eyes."""

    path: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"set mode {SECRET_MODE:04o} on {self.path}"

    def apply(self, host: Host) -> None:
        """Make the change."""
        host.write(self.path, host.read(self.path), mode=SECRET_MODE)


def plan_certificates(facts: CertificateFacts, wish: CertificateWish, now: datetime | None = None) -> Plan:
    """What has to be made; nothing where all is good, and never anything in place of what others have issued.

    :param now: for telling how long the certificate is still good
    :raises AdminError: ``certificate-days-invalid``, ``certificate-foreign``, ``certificate-key-invalid``
    """
    if not 0 < wish.days <= LONGEST_DAYS:
        raise usage_error(
            "certificate-days-invalid",
            f"--days {wish.days} is not between 1 and {LONGEST_DAYS}",
            "for example --days 365",
        )
    places = facts.files
    foreign = foreign_file(facts)
    title = f"certificates in {places.directory}"
    if foreign is not None:
        if wish.renew:
            raise configuration_error(
                "certificate-foreign",
                f"{foreign} was issued by somebody else and is never overwritten",
                "get a new one from its issuer, or move it away and run: omero certificates",
            )
        return Plan(title)
    if facts.key_present and facts.key_public is None:
        raise configuration_error(
            "certificate-key-invalid",
            f"{places.key} can't be read as a private key: it is damaged or has a passphrase",
            "remove the passphrase with openssl pkey, or move the key away and run: omero certificates",
        )
    return Plan(title, tuple(_steps(facts, wish, now or clock.utc_now())))


def _steps(facts: CertificateFacts, wish: CertificateWish, now: datetime) -> list[Step]:
    places = facts.files
    steps: list[Step] = []
    if not facts.directory_present:
        steps.append(MakeDirectory(places.directory, 0o700))
    if not facts.key_present:
        steps.append(MakeKey(places.key))
    reason = issue_reason(facts, wish, now)
    if reason:
        wanted = files.Wanted(unique((facts.common_name, *facts.local_names)), facts.owner, wish.days)
        steps.append(IssueCertificate(places.key, places.certificate, wanted, reason))
    if reason or _bundle_differs(facts):
        steps.append(BundleCertificate(places.key, places.certificate, places.bundle, places.password))
    written = {step.path for step in steps if isinstance(step, (MakeKey, BundleCertificate))}
    steps += [CloseFile(path) for path in facts.open_modes if path not in written]
    return steps


def foreign_file(facts: CertificateFacts) -> Path | None:
    """A file that a certificate authority, not this toolkit, has made."""
    places: CertificateFiles = facts.files
    if facts.bundle is not None and not facts.bundle.is_self_signed:
        return places.bundle
    certificate = facts.certificate
    if certificate is not None and (not certificate.is_self_signed or certificate.chain_length > 1):
        return places.certificate
    if facts.certificate_present and certificate is None:
        # Not PEM, whatever it is: it isn't ours.
        return places.certificate
    return None


def issue_reason(facts: CertificateFacts, wish: CertificateWish, now: datetime) -> str:
    """Why a certificate has to be issued; empty where it is good."""
    certificate = facts.certificate
    if certificate is None:
        return "there is none"
    if wish.renew:
        return "renewal was asked for"
    if facts.key_public != certificate.public_key:
        return "the present one belongs to another key"
    if certificate.not_after - now < min(RENEWAL, certificate.lifetime / 3):
        return f"the present one ends on {certificate.not_after:%Y-%m-%d}"
    if facts.common_name.lower() not in (name.lower() for name in certificate.names):
        return f"the present one is not for {facts.common_name}"
    return ""


def _bundle_differs(facts: CertificateFacts) -> bool:
    if facts.bundle is None or facts.certificate is None:
        return True
    return (facts.bundle.serial, facts.bundle.public_key) != (facts.certificate.serial, facts.certificate.public_key)
