"""Settings and files of certificates, ours and those of an authority."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from omeroadmin.certificates import facts as certificate_facts
from omeroadmin.certificates.plan import CertificateWish, plan_certificates
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.steps.plan import Plan
from omeroadmin.system import clock
from omeroadmin.system.local import LocalHost


def complete_settings(data: Path, **properties: str) -> Settings:
    """Settings of an instance whose certificate properties are all set.

    :param properties: last parts of ``omero.certificates.*``
    """
    own = {f"omero.certificates.{name}": value for name, value in properties.items()}
    settings = Settings({"omero.data.dir": str(data), **own})
    return certificate_facts.with_properties(settings, certificate_facts.missing_properties(settings))


def plan(settings: Settings, wish: CertificateWish | None = None) -> Plan:
    """The plan for what is there now."""
    return plan_certificates(
        certificate_facts.collect_facts(settings, LocalHost()), wish or CertificateWish(), clock.utc_now()
    )


def make(settings: Settings, wish: CertificateWish | None = None) -> Plan:
    """Plan and carry out.

    :return: the plan
    """
    made = plan(settings, wish)
    apply_plan(made, LocalHost())
    return made


def authority_issued(key: bytes, name: str) -> bytes:
    """A certificate in PEM that somebody else has issued for a key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
    from cryptography.x509.oid import NameOID

    private = load_pem_private_key(key, None)
    certificate = (
        x509.CertificateBuilder(
            subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]),
            issuer_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority")]),
        )
        .public_key(private.public_key())  # type: ignore[arg-type]  # an RSA key, as new_key makes them
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.utc_now())
        .not_valid_after(clock.utc_now() + timedelta(days=10))
    )
    return certificate.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM)
