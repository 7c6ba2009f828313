"""Certificates and keys of a host, by its openssl: the standard library can't make them."""

from __future__ import annotations

import calendar
import contextlib
import os
import re
import time
from typing import NamedTuple, Sequence

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.running import check, run

_HINT = "install the package openssl before"
_CONFIGURATION = """\
[req]
prompt = no
distinguished_name = subject
x509_extensions = extensions
[subject]
CN = {name}
[extensions]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
subjectAltName = {names}
"""


class CertificateFacts(NamedTuple):
    """A certificate.

    :param not_after: when it ends, in seconds since 1970
    :param names: host names and addresses that it is for
    :param public: its public key, as PEM
    """

    not_after: int
    names: "list[str]"
    is_self_signed: bool
    public: str


def read_certificate(path: str) -> "CertificateFacts | None":
    """The first certificate of a file; ``None`` where there is none that can be read."""
    options = ("-noout", "-enddate", "-subject", "-issuer", "-nameopt", "RFC2253", "-ext", "subjectAltName", "-pubkey")
    done = run(["openssl", "x509", "-in", path, *options])
    end = re.search(r"^notAfter=(.*)$", done.output, re.MULTILINE)
    key = re.search(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", done.output, re.DOTALL)
    if done.status != 0 or end is None or key is None:
        return None
    names = re.findall(r"(?:DNS|IP Address):([^,\s]+)", done.output)
    parts = dict(re.findall(r"^(subject|issuer)=\s*(.*)$", done.output, re.MULTILINE))
    return CertificateFacts(
        calendar.timegm(time.strptime(" ".join(end[1].split()), "%b %d %H:%M:%S %Y %Z")),
        sorted(_plain_name(name) for name in names),
        parts.get("subject") == parts.get("issuer"),
        key[0],
    )


def _plain_name(name: str) -> str:
    """A name as people write it; openssl spells out IPv6 addresses."""
    if name.count(":") == 7:
        import ipaddress

        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_address(":".join(part.zfill(4) for part in name.split(":"))))
    return name


def public_key(path: str) -> str:
    """The public half of a private key, as PEM; empty where it can't be read."""
    done = run(["openssl", "pkey", "-in", path, "-pubout", "-passin", "pass:"])
    return done.output.strip() if done.status == 0 else ""


def make_key(path: str) -> None:
    """Make an RSA key of 3072 bits, for its owner only from the first byte.

    :raises HostError: ``host-program-missing``, ``host-program-failed``
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    command = ["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-out", path]
    # Only openssl 3 knows -quiet.
    if run(command).status != 0:
        check([word for word in command if word != "-quiet"], f"make the key {path}", _HINT)


def make_certificate(key: str, names: Sequence[str], days: int) -> str:
    """Make a certificate that a key signs itself.

    :param names: host names and addresses that it is for
    :return: the certificate, as PEM
    :raises HostError: ``host-certificate-name``, ``host-program-missing``, ``host-program-failed``
    """
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9.:*_-]+", name):
            raise HostError("host-certificate-name", f"{name!r} is not the name or address of a host")
    entries = [("IP:" if is_address(name) else "DNS:") + name for name in names]
    text = _CONFIGURATION.format(name=names[0][:64], names=", ".join(entries))
    command = ["openssl", "req", "-new", "-x509", "-sha256", "-key", key, "-days", str(days), "-config", "/dev/stdin"]
    return check(command, f"make a certificate of {key}", _HINT, input_text=text).output


def is_address(name: str) -> bool:
    """Whether a name is an IP address."""
    return ":" in name or re.fullmatch(r"[0-9.]+", name) is not None
