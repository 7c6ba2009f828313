"""Names in a certificate: OMERO's way of writing a subject, and the names by which clients reach a server."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

from omeroadmin.errors import configuration_error

HOST_NAME = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_-]{1,63})*")
SUBJECT_PARTS = ("C", "ST", "L", "O", "OU", "DC", "emailAddress")
"""Short names that ``omero.certificates.owner`` may use, as openssl writes them."""

_COMMON_NAME_LIMIT = 64
_PART = re.compile(r"/([A-Za-z]+)=((?:\\.|[^/\\])*)")


def common_name(text: str) -> str:
    """``omero.certificates.commonname``, checked.

    :raises AdminError: ``certificate-name-invalid``
    """
    name = text.strip()
    if len(name) <= _COMMON_NAME_LIMIT and (is_address(name) or HOST_NAME.fullmatch(name)):
        return name
    raise configuration_error(
        "certificate-name-invalid",
        f"omero.certificates.commonname is {text!r}, which is not a host name (up to {_COMMON_NAME_LIMIT} characters)",
        "omero config set omero.certificates.commonname omero.example.org",
    )


def owner_parts(text: str) -> tuple[tuple[str, str], ...]:
    r"""``omero.certificates.owner`` such as ``/L=OMERO/O=OMERO.server``; a slash within a value is ``\/``.

    :raises AdminError: ``certificate-owner-invalid``
    """
    parts = tuple((name, re.sub(r"\\(.)", r"\1", value)) for name, value in _PART.findall(text))
    rest = _PART.sub("", text).strip()
    wrong = [name for name, value in parts if name not in SUBJECT_PARTS or not value or len(value) > 128]
    country_wrong = any(name == "C" and not re.fullmatch(r"[A-Za-z]{2}", value) for name, value in parts)
    if rest or wrong or country_wrong:
        raise configuration_error(
            "certificate-owner-invalid",
            f"omero.certificates.owner is {text!r}, which is not a subject such as /C=DE/L=Berlin/O=Institute",
            f"use the parts {', '.join(SUBJECT_PARTS)}; C has two letters",
        )
    return parts


def is_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def local_names() -> tuple[str, ...]:
    """The names of this machine that need no question to a name server."""
    name = socket.gethostname()
    return ("localhost", "127.0.0.1", "::1", *((name,) if HOST_NAME.fullmatch(name) else ()))


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Names without repetition, in their order; host names know no case."""
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.lower(), name)
    return tuple(found.values())
