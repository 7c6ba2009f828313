"""Checks everything that gets into an nginx configuration, so that no value can bring a directive of its own."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path

from omeroadmin.errors import configuration_error, usage_error

_SERVER_NAME = re.compile(r"\$hostname|_|(\*\.|\.)?[A-Za-z0-9]([A-Za-z0-9_-]*)(\.[A-Za-z0-9_-]+)*(\.\*)?")
_BODY_SIZE = re.compile(r"[0-9]{1,12}[kKmMgG]?")
_URL_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*)(\.[A-Za-z0-9_-]+)*\.?")
_UNSAFE_IN_QUOTES = re.compile(r'["\\$\x00-\x1f\x7f]')
_TOKENS = re.compile(r"""\\.|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:(?<=\s)|^|(?<=[;{}]))\#.*|[{}]""", re.MULTILINE)
_NONE = ("", "None")


def port(value: int, where: str) -> int:
    """A port to listen on.

    :raises AdminError: ``nginx-value-invalid``
    """
    if not 0 < value < 65536:
        raise usage_error("nginx-value-invalid", f"{where} is {value}, which is not a port number", "use 1 to 65535")
    return value


def server_names(text: str) -> str:
    """Names for ``server_name``: host names, wildcards, ``_`` or ``$hostname``, separated by spaces.

    :raises AdminError: ``nginx-value-invalid``
    """
    names = text.split()
    wrong = [name for name in names if not (_SERVER_NAME.fullmatch(name) or is_address(name))]
    if wrong or not names:
        raise usage_error(
            "nginx-value-invalid",
            f"--servername {text!r} is not a list of host names",
            "for example --servername omero.example.org",
        )
    return " ".join(f"[{name}]" if ":" in name else name for name in names)


def is_address(text: str) -> bool:
    """Whether this is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def body_size(text: str) -> str:
    """A size for ``client_max_body_size``; 0 is no limit.

    :raises AdminError: ``nginx-value-invalid``
    """
    if not _BODY_SIZE.fullmatch(text):
        raise usage_error(
            "nginx-value-invalid",
            f"--max-body-size {text!r} is not a size",
            "for example 0 (no limit), 512k, 20m or 1g",
        )
    return text


def prefix(text: str) -> str:
    """``omero.web.prefix`` as ``/omero``, or the empty string where OMERO.web is at the root.

    :raises AdminError: ``nginx-value-invalid``
    """
    path = text.strip()
    if path in (*_NONE, "/"):
        return ""
    return url_path(path if path.startswith("/") else f"/{path}", "omero.web.prefix")


def url_path(text: str, name: str) -> str:
    """A path of a URL, without the slash at its end.

    :param name: property, for the message
    :raises AdminError: ``nginx-value-invalid``
    """
    path = text.strip().rstrip("/")
    if not _URL_PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise configuration_error(
            "nginx-value-invalid",
            f"{name} is {text!r}, which is not a path such as /omero/static/",
            f"omero config set {name} /PATH (letters, digits, and . _ ~ - between slashes)",
        )
    return path


def quoted_path(path: Path, name: str) -> str:
    """An absolute path as a quoted nginx string.

    :param name: property or directory, for the message
    :raises AdminError: ``nginx-value-invalid``
    """
    text = str(path)
    if not path.is_absolute() or _UNSAFE_IN_QUOTES.search(text):
        raise configuration_error(
            "nginx-value-invalid",
            f"{name} is {text!r}; nginx needs an absolute path without quotes, $, backslashes and control characters",
            f"choose another path for {name}",
        )
    return f'"{text}"'


def backend(host: str, port_number: int) -> str:
    """Address of the application server, ``host:port``.

    :raises AdminError: ``nginx-value-invalid``
    """
    name = host.strip()
    bare = name.strip("[]")
    if ":" in bare and is_address(bare):
        return f"[{bare}]:{port_number}"
    if not _HOST.fullmatch(name):
        raise configuration_error(
            "nginx-value-invalid",
            f"omero.web.application_server.host is {host!r}, which is not a host name",
            "omero config set omero.web.application_server.host 127.0.0.1",
        )
    return f"{name}:{port_number}"


def extra_lines(text: str) -> tuple[str, ...]:
    """``omero.web.nginx_server_extra_config``: the admin's own directives, which must stay inside the server block.

    :raises AdminError: ``nginx-extra-config-invalid``
    """
    name = "omero.web.nginx_server_extra_config"
    hint = f"omero config set {name} '[\"listen 443 ssl;\"]'"
    if text.strip() in _NONE:
        return ()
    try:
        lines = json.loads(text)
    except ValueError as error:
        raise configuration_error("nginx-extra-config-invalid", f"{name} is not JSON: {error}", hint) from error
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise configuration_error("nginx-extra-config-invalid", f"{name} is not a JSON list of strings", hint)
    if not balanced("\n".join(lines)):
        raise configuration_error(
            "nginx-extra-config-invalid",
            f"the braces in {name} don't match, so its lines would end the server block",
            "give each { its } and escape or quote the others",
        )
    return tuple(lines)


def balanced(directives: str) -> bool:
    """Whether each opening brace has its closing brace; quoted, escaped and commented ones don't count."""
    depth = 0
    for token in _TOKENS.findall(directives):
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            return False
    return depth == 0
