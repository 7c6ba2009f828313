"""What became of properties since the formats 4.2.0 and 4.2.1 of config.xml; later formats are alike."""

from __future__ import annotations

from collections.abc import Mapping

from omeroadmin.profiles.reader import OLD_VERSIONS, VERSION, VERSION_KEY

_LDAP, _LINKS = OLD_VERSIONS
_TOP_LINKS = "omero.web.ui.top_links"
_ONCE_BUILT_IN = (
    ("Data", "webindex", {"title": "Browse Data via Projects, Tags etc"}),
    ("History", "history", {"title": "History"}),
    (
        "Help",
        "https://help.openmicroscopy.org/",
        {"target": "new", "title": "Open OMERO user guide in a new tab"},
    ),
)
"""Links that the pages added by themselves while 4.2.1 was the format."""


def upgraded(block: Mapping[str, str]) -> dict[str, str]:
    """All properties of a block in today's format; a block of another format stays as it is."""
    version = block.get(VERSION_KEY, VERSION)
    if version not in OLD_VERSIONS:
        return dict(block)
    return {name: upgraded_value(version, name, value) for name, value in block.items()}


def upgraded_value(version: str, name: str, value: str) -> str:
    """One property of a block of an old format, as it is in today's.

    :param version: the block's, one of ``OLD_VERSIONS``
    """
    if name == VERSION_KEY:
        return VERSION
    if version == _LDAP and name.startswith("omero.ldap"):
        return value.replace("${omero.dollar}", "").replace("${", "@{")
    if version == _LINKS and name == _TOP_LINKS:
        return _with_default_links(value)
    return value


def _with_default_links(value: str) -> str:
    import json

    try:
        links = json.loads(value)
    except (ValueError, RecursionError):
        return value  # it was of no use before; `config lint` says so
    return json.dumps([*_ONCE_BUILT_IN, *links]) if isinstance(links, list) else value
