"""What a property is: its name, kind of value and default, declared once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of value that a property takes."""

    TEXT = "text"
    BOOL = "true or false"
    INT = "a whole number"
    PORT = "a port number"
    PATH = "a path"
    HOST = "a host name"
    URL = "a URL"
    JSON = "JSON"
    CRON = "a cron expression"
    SECRET = "a secret"  # noqa: S105 - the name of a kind


@dataclass(frozen=True)
class Setting:
    """One property as OMERO or this toolkit declares it.

    :param name: full name, e.g. ``omero.db.host``
    :param section: heading in the reference
    :param kind: what values look like
    :param default: value while the property is unset; may refer to others as ``${name}``
    :param description: one sentence for ``--help`` and the reference; empty where OMERO's manual is the source
    """

    name: str
    section: str
    kind: Kind
    default: str
    description: str = ""

    @property
    def is_secret(self) -> bool:
        """Whether listings hide the value."""
        return self.kind is Kind.SECRET
