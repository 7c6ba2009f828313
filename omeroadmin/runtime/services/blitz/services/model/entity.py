"""What a type of OMERO's model is made of, as data: everything that creates, reads, changes, links or deletes objects
goes by it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ColumnKind(StrEnum):
    """What a column holds, and how the API writes it."""

    NAME = "name"
    """A text of 255 characters at most."""
    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    FLAG = "flag"
    TIME = "time"
    """Milliseconds since 1970 UTC in the API, a timestamp in the table."""
    REFERENCE = "reference"
    """Another object: ``Type:id`` or its id in the API."""
    ENUMERATION = "enumeration"
    """The value of a row of a table of values, such as a checksum algorithm's."""


@dataclass(frozen=True)
class Column:
    """A property of an object.

    :param name: OMERO's, e.g. ``textValue``; the column of the table is the same in lower case
    :param target: of a reference: the type it names; of an enumeration: its table
    :param required: whether an object can't be without it
    :param fixed: whether clients only read it
    """

    name: str
    kind: ColumnKind
    target: str = ""
    required: bool = False
    fixed: bool = False

    @property
    def column(self) -> str:
        """Name of the column."""
        return self.name.lower()


@dataclass(frozen=True)
class MapColumn:
    """A property that is a list of pairs in order, kept in a table of its own.

    :param name: OMERO's, e.g. ``mapValue``
    :param table: holds ``name``, ``value`` and ``index``
    :param key: column of that table with the object's id
    """

    name: str
    table: str
    key: str


@dataclass(frozen=True)
class LinkEnds:
    """The two ends of a link.

    :param parent: type, e.g. ``Dataset``
    :param child: type, e.g. ``Image``; ``Annotation`` stands for all its kinds
    """

    parent: str
    child: str


@dataclass(frozen=True)
class Entity:
    """A type of OMERO's model.

    :param name: e.g. ``TagAnnotation``
    :param package: of ``ome.model``, e.g. ``annotations``
    :param discriminator: tells the types of one table apart
    :param ancestors: types that it is one of, nearest first
    :param link: of a link: its ends
    :param creatable: whether clients may make one as they like; others come from imports or from administrators
    :param owned: whether each has an owner and a group; users and groups have none
    """

    name: str
    package: str
    table: str
    columns: tuple[Column, ...] = ()
    maps: tuple[MapColumn, ...] = ()
    discriminator: str = ""
    ancestors: tuple[str, ...] = ()
    link: LinkEnds | None = None
    creatable: bool = True
    owned: bool = True

    @property
    def class_name(self) -> str:
        """OMERO's full name of the type, as the eventlog has it."""
        return f"ome.model.{self.package}.{self.name}"

    @property
    def one(self) -> str:
        """The type's name as sentences have it, e.g. ``an Image``."""
        return f"{'an' if self.name[0] in 'AEIOX' else 'a'} {self.name}"

    @property
    def condition(self) -> str:
        """SQL that tells this type's rows from others of the table: of constants, and true where there are none."""
        return f"discriminator = '{self.discriminator}'" if self.discriminator else "true"

    def is_a(self, name: str) -> bool:
        """Whether every object of this type is one of the named type, too."""
        return name == self.name or name in self.ancestors

    def column(self, name: str) -> Column | None:
        """A property by OMERO's name for it."""
        return next((column for column in self.columns if column.name == name), None)

    def map(self, name: str) -> MapColumn | None:
        """A property of pairs by OMERO's name for it."""
        return next((column for column in self.maps if column.name == name), None)
