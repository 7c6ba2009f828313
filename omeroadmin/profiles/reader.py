"""Reads profiles with what Python itself brings, for commands that are called thousands of times.

The quick path imports this module: no dataclasses, pathlib or typing, each of which takes as long as all the reading.
"""

from __future__ import annotations

import os

from omeroadmin.profiles.source import parse, read_source

TYPE_CHECKING = False
"""Known to type checkers without typing."""

if TYPE_CHECKING:
    from omeroadmin.profiles.source import StrPath

VERSION_KEY = "omero.config.version"
VERSION = "5.1.0"
OLD_VERSIONS = ("4.2.0", "4.2.1")
"""Formats whose values are read as something else than what stands there; see ``upgrades``."""
PROFILE_KEY = "omero.config.profile"
ACTIVE = "__ACTIVE__"
"""Id of the block that the grid reads: a copy of the active profile."""
FALLBACK = "default"
RESERVED = (VERSION_KEY, PROFILE_KEY)
"""Properties that belong to the file and not to the admin."""


class Profile:
    """The properties that one profile sets, in their order.

    :param name: e.g. ``default``
    :param values: without the file's own two properties
    :param version: of the format, ``omero.config.version``
    """

    __slots__ = ("name", "values", "version")

    def __init__(self, name: str, values: dict[str, str], version: str = VERSION) -> None:
        self.name = name
        self.values = values
        self.version = version


class Content:
    """All of the file.

    :param active: name that the file itself gives its active profile
    :param blocks: all properties of each profile, ``__ACTIVE__`` left out
    """

    __slots__ = ("active", "blocks")

    def __init__(self, active: str, blocks: dict[str, dict[str, str]]) -> None:
        self.active = active
        self.blocks = blocks

    def names(self) -> list[str]:
        """Names of the profiles in the file's order; the active one alone where the file has none yet."""
        return list(self.blocks) or [self.active]

    def profile(self, name: str) -> Profile:
        """One profile; empty where the file has none of the name."""
        block = dict(self.blocks.get(name, {}))
        version = block.pop(VERSION_KEY, VERSION)
        block.pop(PROFILE_KEY, None)
        return Profile(name, block, version)


def read_profile(config_xml: StrPath, profile: str | None = None) -> Profile:
    """A profile's own properties; a missing file is an empty profile. Takes no lock and writes nothing.

    :param profile: by default that of ``OMERO_CONFIG``, else the active one
    :raises AdminError: ``config-unparsable``, ``file-not-read``, ``profile-reserved``
    """
    content = read_content(config_xml)
    return content.profile(choose(profile, content.active))


def read_content(config_xml: StrPath) -> Content:
    """All profiles of a file; a missing file has none. Takes no lock and writes nothing.

    :raises AdminError: ``config-unparsable``, ``file-not-read``
    """
    source = read_source(config_xml)
    return Content(FALLBACK, {}) if source is None else parse_content(config_xml, source)


def parse_content(config_xml: StrPath, source: bytes, *, upgrade: bool = True) -> Content:
    """All profiles in the content of a file.

    :param upgrade: whether profiles of an old format are given in today's
    :raises AdminError: ``config-unparsable``
    """
    blocks: dict[str, dict[str, str]] = {}
    path: list[str | None] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        block = path[1] if len(path) == 2 and name == "property" else None
        if block is not None and "name" in attributes:
            blocks[block][attributes["name"]] = attributes.get("value", "")
        identity = attributes.get("id") if len(path) == 1 and name == "properties" else None
        if identity is not None:
            blocks.setdefault(identity, {})
        path.append(identity)

    parse(config_xml, source, start=start, end=lambda _: path.pop())
    active = blocks.pop(ACTIVE, {}).get(PROFILE_KEY, FALLBACK)
    if upgrade and any(block.get(VERSION_KEY) in OLD_VERSIONS for block in blocks.values()):
        from omeroadmin.profiles.upgrades import upgraded

        blocks = {name: upgraded(block) for name, block in blocks.items()}
    return Content(active, blocks)


def choose(wanted: str | None, active: str) -> str:
    """Name of the profile to work on: the one asked for, else ``OMERO_CONFIG``'s, else the file's active one.

    :raises AdminError: ``profile-reserved``
    """
    name = wanted or os.environ.get("OMERO_CONFIG") or active
    refuse_reserved(name)
    return name


def refuse_reserved(name: str) -> None:
    """Keep everybody's hands off the active copy.

    :raises AdminError: ``profile-reserved``
    """
    if name == ACTIVE:
        from omeroadmin.errors import usage_error

        raise usage_error(
            "profile-reserved",
            f"{ACTIVE} is the copy that the server reads and no profile",
            "name another profile: unset OMERO_CONFIG; omero config def",
        )
