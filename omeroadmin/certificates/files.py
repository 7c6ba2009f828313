"""Reads and makes key, certificate and PKCS#12 file. Everything that needs the library ``cryptography`` is here."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from omeroadmin.certificates.names import is_address
from omeroadmin.errors import AdminError, failed_error

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

KEY_BITS = 3072
"""RSA: 2048 is the least that anybody accepts, 3072 is advised for use beyond 2030."""

_FRIENDLY_NAME = b"server"
_BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True)
class CertificateDetails:
    """What stands in a certificate.

    :param names: subject alternative names and common name
    :param public_key: the public key, comparable
    :param chain_length: certificates in the file
    """

    subject: str
    issuer: str
    serial: int
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    public_key: bytes
    chain_length: int = 1

    @property
    def is_self_signed(self) -> bool:
        """Whether nobody but its own subject vouches for it."""
        return self.subject == self.issuer

    @property
    def lifetime(self) -> timedelta:
        """Time between the two dates."""
        return self.not_after - self.not_before


@dataclass(frozen=True)
class Wanted:
    """What a new certificate is to say.

    :param names: DNS names and addresses; the first is the common name
    :param owner: other parts of the subject
    :param days: validity
    """

    names: tuple[str, ...]
    owner: tuple[tuple[str, str], ...]
    days: int


def read_certificate(content: bytes) -> CertificateDetails | None:
    """First certificate of a PEM file; ``None`` where there is none."""
    from cryptography import x509

    try:
        chain = x509.load_pem_x509_certificates(content)
    except ValueError:
        return None
    return _details(chain[0], len(chain))


def read_bundle(content: bytes, password: str) -> CertificateDetails | None:
    """Certificate of a PKCS#12 file; ``None`` where the password doesn't open it."""
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        bundle = pkcs12.load_pkcs12(content, password.encode())
    except ValueError:
        return None
    if bundle.cert is None or bundle.key is None:
        return None
    return _details(bundle.cert.certificate, 1 + len(bundle.additional_certs))


def bundle_fingerprint(content: bytes, password: str) -> str | None:
    """SHA-256 of the certificate in a PKCS#12 file, in hexadecimal; ``None`` where the password doesn't open it."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import pkcs12

    try:
        certificate = pkcs12.load_pkcs12(content, password.encode()).cert
    except ValueError:
        return None
    return None if certificate is None else certificate.certificate.fingerprint(SHA256()).hex()


def public_key_of(key: bytes) -> bytes | None:
    """Public half of a private key in PEM; ``None`` where it can't be read, as with a passphrase."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        private = load_key(key)
    except AdminError:
        return None
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def load_key(content: bytes) -> PrivateKeyTypes:
    """A private key without passphrase.

    :raises AdminError: ``certificate-key-invalid``
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise failed_error(
            "certificate-key-invalid",
            "the private key can't be read: it is damaged or has a passphrase",
            "remove the passphrase with openssl pkey, or move the key away and run: omero certificates",
        ) from error


def new_key() -> bytes:
    """A new RSA key in PEM, PKCS#8."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(65537, KEY_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def self_signed(key: bytes, wanted: Wanted, now: datetime) -> bytes:
    """A self-signed server certificate in PEM.

    :param key: private key in PEM
    :param now: it is valid from here, and a little earlier for clocks that lag
    :raises AdminError: ``certificate-key-invalid``
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    private = load_key(key)
    if not isinstance(private, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise failed_error("certificate-key-invalid", "the private key is neither RSA nor of an elliptic curve")
    subject = _subject(wanted)
    builder = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=wanted.days))
    )
    for extension, critical in _extensions(wanted, x509.SubjectKeyIdentifier.from_public_key(private.public_key())):
        builder = builder.add_extension(extension, critical)
    return builder.sign(private, SHA256()).public_bytes(Encoding.PEM)


def _subject(wanted: Wanted) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    kinds = {
        "C": NameOID.COUNTRY_NAME,
        "ST": NameOID.STATE_OR_PROVINCE_NAME,
        "L": NameOID.LOCALITY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "DC": NameOID.DOMAIN_COMPONENT,
        "emailAddress": NameOID.EMAIL_ADDRESS,
    }
    parts = [x509.NameAttribute(kinds[name], value) for name, value in wanted.owner]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, wanted.names[0])])


def _extensions(wanted: Wanted, identifier: x509.SubjectKeyIdentifier) -> list[tuple[x509.ExtensionType, bool]]:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    names: list[x509.GeneralName] = [
        x509.IPAddress(ipaddress.ip_address(name)) if is_address(name) else x509.DNSName(name) for name in wanted.names
    ]
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return [
        (x509.SubjectAlternativeName(names), False),
        # Not an authority: whoever trusts this certificate trusts this server and nothing else.
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (usage, True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (identifier, False),
    ]


def bundle(key: bytes, certificate: bytes, password: str) -> bytes:
    """Key and certificate as PKCS#12, as IceSSL wants them.

    :raises AdminError: ``certificate-key-invalid``
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12

    encryption = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(50000)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(SHA256())
        .build(password.encode())
    )
    private = load_key(key)
    return pkcs12.serialize_key_and_certificates(
        _FRIENDLY_NAME,
        private,  # type: ignore[arg-type]  # kinds of keys that PKCS#12 can't hold can't be in a certificate either
        x509.load_pem_x509_certificate(certificate),
        None,
        encryption,
    )


def _details(certificate: x509.Certificate, chain_length: int) -> CertificateDetails:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return CertificateDetails(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
        names=_names(certificate),
        public_key=certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        chain_length=chain_length,
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    common = [str(part.value) for part in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    try:
        others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return tuple(common)
    addresses = [str(address) for address in others.get_values_for_type(x509.IPAddress)]
    return tuple(dict.fromkeys([*common, *others.get_values_for_type(x509.DNSName), *addresses]))
