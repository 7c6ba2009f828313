"""Values that name a host or a URL."""

from __future__ import annotations

import re

from omeroadmin.schema.kinds import ValueType

SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*"
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_UNFIT = re.compile(r"[\x00-\x20\x7f\"<>\\^`{|}]")
"""What no URL has in it unescaped."""
_LONGEST_NAME = 253


def is_host(text: str) -> bool:
    """Whether a text is a host name (an underscore is fine, as in names of containers), IPv4 or IPv6 address."""
    host = text.strip()
    if ":" in host:
        return _is_ipv6(host)
    labels = host.removesuffix(".").split(".")
    if len(host) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    # A last label of digits makes it an address of four numbers, to every resolver.
    if labels[-1].isdigit():
        return len(labels) == 4 and all(label.isdigit() and int(label) < 256 for label in labels)
    return True


def _is_ipv6(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def url_problem(value_type: ValueType, text: str) -> str | None:
    """What is wrong with a URL; the empty text where that is plain to see."""
    from urllib.parse import urlsplit

    url = text.strip()
    found = _UNFIT.search(url)
    if found:
        return f"this has {found.group()!a} in it"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "its host or port is none"
    if "://" not in url or not re.fullmatch(SCHEME, parts.scheme):
        return ""
    if value_type.choices and parts.scheme not in value_type.choices:
        return f"this begins with {parts.scheme}://"
    if parts.scheme == "file":
        return None
    if not parts.hostname or not is_host(parts.hostname):
        return "its host is none" if parts.hostname else "this names no host"
    return "its port is none" if port == 0 else None
