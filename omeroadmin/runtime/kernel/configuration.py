"""What a server process is told: its command line and the configuration file that the node writes for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.errors import configuration_error

_HEAP = re.compile(r"-Xmx([0-9]{1,15})([kmgt]?)", re.IGNORECASE)
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_PROFILE = "-XX:+HeapDumpOnOutOfMemoryError"
_PROFILE_PATH = "-XX:HeapDumpPath="
_TOKEN = re.compile(r"\\[\\#= ]|.", re.DOTALL)
_BLANK = "\\ "
_BLANKS = frozenset({_BLANK, " ", "\t", "\r"})
_PLAIN = {"\\\\": "\\", "\\#": "#", "\\=": "=", _BLANK: " "}
_SERVER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True)
class CommandLine:
    """A server's command line, as IceGrid descriptors write it.

    :param kind: which server, e.g. ``Blitz``
    :param heap_bytes: value of ``-Xmx``; ``None`` where it isn't limited
    :param heap_profile: directory or file for a profile of the heap when memory runs out; ``None``: none is wanted
    :param config_file: value of ``--Ice.Config``
    :param properties: other ``--name=value`` arguments; they win over the file's
    """

    kind: str
    heap_bytes: int | None
    config_file: Path
    properties: dict[str, str] = field(default_factory=dict)
    heap_profile: Path | None = None


def parse_command_line(arguments: Sequence[str]) -> CommandLine:
    """Read a server's command line; Java's other options (``-X…``, ``-D…``) are accepted and ignored.

    :raises AdminError: ``command-line-invalid``
    """
    kind = ""
    heap: int | None = None
    properties: dict[str, str] = {}
    for argument in arguments:
        if argument.startswith("--"):
            name, _, value = argument[2:].partition("=")
            properties[name] = value or "1"
        elif match := _HEAP.fullmatch(argument):
            heap = int(match.group(1)) * _UNITS[match.group(2).lower()]
        elif argument.startswith("-"):
            continue
        elif kind:
            raise _invalid(f"{argument!r} follows the server's kind {kind}")
        else:
            kind = argument
    config_file = properties.pop("Ice.Config", "")
    if not kind:
        raise _invalid("the server's kind is missing")
    if not config_file:
        raise _invalid("--Ice.Config=FILE is missing")
    return CommandLine(kind, heap, Path(config_file), properties, _heap_profile(arguments))


def _heap_profile(arguments: Sequence[str]) -> Path | None:
    """Where the profile of the heap goes; as with Java, the working directory unless another place is named."""
    if _PROFILE not in arguments:
        return None
    named = [argument.removeprefix(_PROFILE_PATH) for argument in arguments if argument.startswith(_PROFILE_PATH)]
    return Path(named[-1] if named and named[-1] else ".")


def read_properties(path: Path) -> dict[str, str]:
    """Properties of a configuration file, one ``key=value`` a line; of two, the later one wins.

    The file is written by Ice's rules: a number sign begins a comment, and a backslash stands before what would
    otherwise not be a part of the text: a number sign, a backslash, a blank at the ends of a value, or in a name an
    equals sign.

    :raises AdminError: ``configuration-missing``
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise configuration_error(
            "configuration-missing", f"configuration file {path} can't be read: {error}"
        ) from error
    properties: dict[str, str] = {}
    for line in text.split("\n"):
        parsed = _parse_line(line)
        if parsed is not None:
            properties[parsed[0]] = parsed[1]
    return properties


def _parse_line(line: str) -> tuple[str, str] | None:
    """Name and value of a line; ``None`` where it holds no property."""
    tokens = _TOKEN.findall(line)
    if "#" in tokens:
        tokens = tokens[: tokens.index("#")]
    if "=" not in tokens:
        return None
    separator = tokens.index("=")
    name = "".join(_PLAIN.get(token, token) for token in tokens[:separator]).strip()
    return name, _value(tokens[separator + 1 :])


def _value(tokens: list[str]) -> str:
    """A value as IceGrid writes it: of blanks, only those at its ends are escaped, and an equals sign never is."""
    tokens = [part for one in tokens for part in (("\\", "=") if one == "\\=" else (one,))]
    first = next((index for index, token in enumerate(tokens) if token not in _BLANKS), len(tokens))
    last = next((index for index in range(len(tokens), first, -1) if tokens[index - 1] not in _BLANKS), first)
    inner = (_PLAIN.get(token, token) if token != _BLANK else token for token in tokens[first:last])
    return "".join((" " * tokens[:first].count(_BLANK), *inner, " " * tokens[last:].count(_BLANK)))


def server_id_of(properties: dict[str, str]) -> str:
    """The server's name in the grid, e.g. ``Blitz-0``; it becomes part of file names.

    :raises AdminError: ``server-id-invalid``
    """
    server_id = properties.get("Ice.Admin.ServerId") or properties.get("Ice.ServerId", "")
    if not _SERVER_ID.fullmatch(server_id) or server_id.startswith("."):
        raise configuration_error("server-id-invalid", f"Ice.Admin.ServerId is {server_id!r}, which names no server")
    return server_id


def _invalid(what: str) -> Exception:
    return configuration_error("command-line-invalid", f"{what}; expected: KIND [-XmxNm] [-X… -D…] --Ice.Config=FILE")
