"""Reads OMERO's config.xml on a host as input that nobody has checked: no document type, no entities."""

from __future__ import annotations

import os
import re
from xml.parsers import expat

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.files import read_whole

_SECRET = re.compile(r"(pass|password|secret|secret_?key|token)(\.|$)|\.(caches|databases)(\.|$)", re.IGNORECASE)
"""Names of properties whose values are never shown: all that the catalogue declares secret, and what looks like it."""
_ACTIVE = "__ACTIVE__"
_PROFILE_KEY = "omero.config.profile"
_FALLBACK = "default"


def is_secret(name: str) -> bool:
    """Whether a property's value is hidden by its name."""
    return _SECRET.search(name) is not None


def config_path(omerodir: str) -> str:
    """Where an instance has its properties."""
    return os.path.join(omerodir, "etc", "grid", "config.xml")


def read_properties(path: str, profile: str) -> dict[str, str] | None:
    """Properties of a profile.

    :param profile: empty: the active one
    :return: ``None`` where there is no file yet
    :raises HostError: ``host-config-unparsable``, ``host-file-not-read``
    """
    content = read_whole(path)
    if not content:
        return None
    blocks = _blocks(path, content)
    active = blocks.get(_ACTIVE, {}).get(_PROFILE_KEY, _FALLBACK)
    return blocks.get(profile or active, {})


def _blocks(path: str, content: bytes) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    inside: list[str | None] = []
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise _unparsable(path, parser.CurrentLineNumber, "it has a document type, which is not allowed")

    def start(name: str, attributes: dict[str, str]) -> None:
        if not inside and name != "icegrid":
            raise _unparsable(path, parser.CurrentLineNumber, f"the root element is {name}, not icegrid")
        block = inside[1] if len(inside) == 2 and name == "property" else None
        if block is not None and "name" in attributes:
            found[block][attributes["name"]] = attributes.get("value", "")
        identity = attributes.get("id") if len(inside) == 1 and name == "properties" else None
        if identity is not None:
            found.setdefault(identity, {})
        inside.append(identity)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: inside.pop()
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _unparsable(path, error.lineno, expat.ErrorString(error.code)) from error
    except (LookupError, ValueError) as error:
        raise _unparsable(path, 1, str(error)) from error
    return found


def _unparsable(path: str, line: int, reason: str) -> HostError:
    return HostError(
        "host-config-unparsable",
        f"{path}, line {line}: {reason}",
        "correct that line or restore the file from a backup; nothing was changed",
    )
