"""What a property is, declared once: checks, help, reference and JSON Schema are made from it."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.schema.kinds import Kind, ValueType


@dataclass(frozen=True, slots=True)
class Setting:
    """One property as OMERO or this toolkit declares it.

    :param name: full name, e.g. ``omero.db.host``
    :param section: heading in the reference
    :param type: what values look like
    :param default: value while the property is unset; may refer to others as ``${name}``
    :param description: what it is for, a sentence or a few, in our own words
    :param affects: who reads it and must be restarted after a change: servers of the grid without their number, e.g.
        ``Blitz``; ``OMERO.web``; ``toolkit``; ``clients``
    :param services: endings that set it for one service alone, e.g. ``blitz`` of ``omero.jvmcfg.heap_size.blitz``
    :param obsolete: why it does nothing any more, e.g. ``does nothing since OMERO 5.3: …``; empty while it works
    :param example: a value that fits, where the default is none
    :param holds_secrets: whether values of another kind than a secret may have passwords inside
    """

    name: str
    section: str
    type: ValueType
    default: str
    description: str = ""
    affects: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    obsolete: str = ""
    example: str = ""
    holds_secrets: bool = False

    @property
    def kind(self) -> Kind:
        """The kind of value that it takes."""
        return self.type.kind

    @property
    def has_no_default(self) -> bool:
        """Whether the default is the manual's ``None``: nobody can set that, only remove the property."""
        return self.type.none and self.default == "None"

    @property
    def is_secret(self) -> bool:
        """Whether listings hide the value."""
        return self.holds_secrets or self.type.kind is Kind.SECRET
