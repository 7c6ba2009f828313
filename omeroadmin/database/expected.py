"""What a schema's SQL makes, as data: tables, columns and constraints. Reads this toolkit's own ``schema.sql`` only."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from omeroadmin.database.script import SchemaVersion, schema_directory
from omeroadmin.system import files

_TABLE = re.compile(r"^CREATE TABLE (\w+) \((.*?)\);$", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r'"?(\w+)"? +(.*)')
_KEY = re.compile(r"(PRIMARY KEY|UNIQUE) \(([\w, ]+)\)")
_REFERENCE = re.compile(r"REFERENCES (\w+)")
_LIKE = re.compile(r"LIKE (\w+)")
_DROPPED = re.compile(r"^DROP TABLE (\w+)", re.MULTILINE)
# The last block of schema.sql adds these to every table that has the columns.
_OWNERSHIP = {
    "owner_id": "experimenter",
    "group_id": "experimentergroup",
    "creation_id": "event",
    "update_id": "event",
    "external_id": "externalinfo",
}


@dataclass(frozen=True)
class Table:
    """A table.

    :param columns: their names
    :param needed: columns that are NOT NULL
    :param keys: columns of each primary key and unique constraint
    :param references: column and the table that it refers to
    """

    name: str
    columns: frozenset[str]
    needed: frozenset[str]
    keys: frozenset[frozenset[str]]
    references: frozenset[tuple[str, str]]


@functools.cache
def expected_tables(version: SchemaVersion) -> dict[str, Table]:
    """The tables that this toolkit's servers use.

    :raises AdminError: ``schema-unknown``
    """
    return parse_tables(files.read_text(schema_directory(None, version) / "schema.sql"))


def parse_tables(text: str) -> dict[str, Table]:
    """The tables that a script in the style of ``schema.sql`` leaves."""
    tables: dict[str, Table] = {}
    for name, body in _TABLE.findall(text):
        tables[name] = _table(name, body, tables)
    for name in _DROPPED.findall(text):
        tables.pop(name, None)
    return tables


def _table(name: str, body: str, known: dict[str, Table]) -> Table:
    columns: set[str] = set()
    needed: set[str] = set()
    keys: set[frozenset[str]] = set()
    references: set[tuple[str, str]] = set()
    lines = body.splitlines() if "\n" in body else body.split(",")
    for line in (line.strip().rstrip(",") for line in lines):
        if like := _LIKE.match(line):
            other = known[like[1]]
            columns |= other.columns
            needed |= other.needed
        elif key := _KEY.match(line):
            members = frozenset(key[2].replace(" ", "").split(","))
            keys.add(members)
            needed |= members if key[1] == "PRIMARY KEY" else set()
        elif (column := _COLUMN.match(line)) and not line.startswith(("--", "CHECK", "CONSTRAINT")):
            columns.add(column[1])
            if "PRIMARY KEY" in column[2] or "NOT NULL" in column[2]:
                needed.add(column[1])
            if "PRIMARY KEY" in column[2] or "UNIQUE" in column[2]:
                keys.add(frozenset((column[1],)))
            if reference := _REFERENCE.search(column[2]):
                references.add((column[1], reference[1]))
    if not name.startswith("_"):
        references |= {(column, target) for column, target in _OWNERSHIP.items() if column in columns}
    return Table(name, frozenset(columns), frozenset(needed), frozenset(keys), frozenset(references))
