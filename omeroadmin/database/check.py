"""Whether a database is the one that a server can work with: version, encoding, tables, first rows, ids, ownership."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from omeroadmin.database.connection import DatabaseAddress, connect, schema_version, server_version
from omeroadmin.database.expected import Table, expected_tables
from omeroadmin.database.physical.facts import HINT_FAILING, archiver, archiver_words
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError

if TYPE_CHECKING:
    from psycopg import Connection

_OLDEST_SERVER = (9, 3)
_OLDEST_ARCHIVER = (9, 4)
_MOST_NAMED = 8


class Status(StrEnum):
    """How a check went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    :param name: stable, e.g. ``encoding``
    :param evidence: what was seen
    :param hint: what to do; empty where nothing is to be done
    """

    name: str
    status: Status
    evidence: str
    hint: str = ""


@dataclass(frozen=True)
class DatabaseCheck:
    """All findings.

    :param database: address without the password
    """

    database: str
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether the server can't work with the database."""
        return any(finding.status is Status.FAIL for finding in self.findings)


@dataclass(frozen=True)
class Looked:
    """What the checks look at.

    :param tables: that the servers use; empty where the version has no description
    :param present: columns of each table that is there, with whether they are NOT NULL
    :param own_schema: whether the schema is this toolkit's, so that its constraints are known
    """

    connection: Connection[Any]
    wanted: SchemaVersion
    tables: dict[str, Table]
    present: dict[str, dict[str, bool]]
    own_schema: bool

    def rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.connection.execute(statement.encode(), parameters or None).fetchall()


def check_database(address: DatabaseAddress, wanted: SchemaVersion, *, own_schema: bool) -> DatabaseCheck:
    """Look at a database; nothing is changed.

    :param wanted: the version that the server needs
    :param own_schema: whether it was made from this toolkit's SQL, not from a distribution's
    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    with connect(address) as connection:
        connection.read_only = True
        found = schema_version(connection)
        looked = Looked(connection, wanted, _tables_of(wanted), _present(connection), own_schema)
        findings = [_server(looked), _encoding(looked), _version(found, wanted), *_archive(looked)]
        if found is not None:
            findings += [check(looked) for check in _CHECKS]
    return DatabaseCheck(str(address), tuple(findings))


def _tables_of(version: SchemaVersion) -> dict[str, Table]:
    """Tables that are to be there; none where only a distribution knows the version."""
    try:
        return expected_tables(version)
    except AdminError:
        return {}


def _present(connection: Connection[Any]) -> dict[str, dict[str, bool]]:
    rows = connection.execute(
        "SELECT table_name, column_name, is_nullable = 'NO' FROM information_schema.columns"
        " WHERE table_schema = current_schema()"
    ).fetchall()
    present: dict[str, dict[str, bool]] = {}
    for table, column, needed in rows:
        present.setdefault(table, {})[column] = needed
    return present


def _server(looked: Looked) -> Finding:
    version = server_version(looked.connection)
    evidence = f"PostgreSQL {version[0]}.{version[1]}"
    if version < _OLDEST_SERVER:
        return Finding("server", Status.FAIL, evidence, "OMERO needs 9.3 or newer")
    return Finding("server", Status.OK, evidence)


def _archive(looked: Looked) -> list[Finding]:
    """Whether what is archived for restores to a moment arrives; nothing where nothing is archived."""
    if server_version(looked.connection) < _OLDEST_ARCHIVER:
        return []
    found = archiver(looked.connection)
    if not found.enabled:
        return []
    if found.failing:
        return [Finding("archive", Status.WARN, archiver_words(found), HINT_FAILING)]
    return [Finding("archive", Status.OK, archiver_words(found))]


def _encoding(looked: Looked) -> Finding:
    [(encoding, collation)] = looked.rows(
        "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()"
    )
    evidence = f"{encoding}, {collation}"
    if encoding != "UTF8":
        return Finding("encoding", Status.FAIL, evidence, "dump it, and restore it into: createdb --encoding UTF8 NAME")
    return Finding("encoding", Status.OK, evidence)


def _version(found: SchemaVersion | None, wanted: SchemaVersion) -> Finding:
    if found is None:
        return Finding("version", Status.FAIL, "there is no table dbpatch", "omero db init")
    if found != wanted:
        return Finding("version", Status.FAIL, f"{found}, and the server needs {wanted}", "omero db upgrade --dry-run")
    return Finding("version", Status.OK, str(found))


def _patch(looked: Looked) -> Finding:
    rows = looked.rows("SELECT message, finished FROM dbpatch WHERE message IN ('Initializing.', 'Updating.')")
    if rows:
        return Finding(
            "loaded", Status.FAIL, f"dbpatch says {rows[0][0]!r}", "the script didn't end; restore or make it anew"
        )
    return Finding("loaded", Status.OK, "every script that dbpatch names came to its end")


def _tables(looked: Looked) -> Finding:
    missing = sorted(set(looked.tables) - set(looked.present))
    return _complete("tables", missing, f"{len(looked.tables)} tables")


def _columns(looked: Looked) -> Finding:
    missing = [
        f"{table.name}.{column}"
        for table in looked.tables.values()
        for column in sorted(table.columns - looked.present.get(table.name, {}).keys())
        if table.name in looked.present
    ]
    return _complete("columns", missing, f"{sum(len(table.columns) for table in looked.tables.values())} columns")


def _constraints(looked: Looked) -> Finding:
    if not looked.own_schema:
        return Finding("constraints", Status.OK, "those of a distribution are its own and aren't compared")
    missing = sorted(
        _without(looked, "NOT NULL", _needed(looked))
        + _without(looked, "unique", _keys(looked))
        + _without(looked, "foreign key", _references(looked))
    )
    number = sum(len(table.needed) + len(table.keys) + len(table.references) for table in looked.tables.values())
    return _complete("constraints", missing, f"{number} constraints")


def _without(looked: Looked, kind: str, present: set[tuple[str, ...]]) -> list[str]:
    wanted: Iterable[tuple[str, ...]]
    missing: list[str] = []
    for table in looked.tables.values():
        if kind == "NOT NULL":
            wanted = [(table.name, column) for column in table.needed]
        elif kind == "unique":
            wanted = [(table.name, *sorted(key)) for key in table.keys]
        else:
            wanted = [(table.name, *reference) for reference in table.references]
        missing += [f"{kind} {item[0]} ({', '.join(item[1:])})" for item in wanted if item not in present]
    return missing


def _needed(looked: Looked) -> set[tuple[str, ...]]:
    return {(table, column) for table, columns in looked.present.items() for column in columns if columns[column]}


def _keys(looked: Looked) -> set[tuple[str, ...]]:
    rows = looked.rows(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attname::text) FROM pg_index i"
        " JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey::smallint[])"
        " WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND n.nspname = current_schema()"
        " GROUP BY i.indexrelid, c.relname"
    )
    return {(table, *columns) for table, columns in rows}


def _references(looked: Looked) -> set[tuple[str, ...]]:
    rows = looked.rows(
        "SELECT c.relname, a.attname, f.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
        " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class f ON f.oid = k.confrelid"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]"
        " WHERE k.contype = 'f' AND k.convalidated AND n.nspname = current_schema()"
    )
    return {(str(table), str(column), str(target)) for table, column, target in rows}


def _first_rows(looked: Looked) -> Finding:
    missing = [what for what, statement in _FIRST_ROWS.items() if not looked.rows(f"SELECT 1 WHERE {statement}")]
    return _complete("first-rows", missing, "the users, groups and values that OMERO counts on")


_FIRST_ROWS = {
    "user 0 root": "EXISTS (SELECT 1 FROM experimenter WHERE id = 0 AND omename = 'root')",
    "user guest": "EXISTS (SELECT 1 FROM experimenter WHERE omename = 'guest')",
    "group 0 system": "EXISTS (SELECT 1 FROM experimentergroup WHERE id = 0 AND name = 'system')",
    "group 1 user": "EXISTS (SELECT 1 FROM experimentergroup WHERE id = 1 AND name = 'user')",
    "group guest": "EXISTS (SELECT 1 FROM experimentergroup WHERE name = 'guest')",
    "root in group system": "EXISTS (SELECT 1 FROM groupexperimentermap WHERE child = 0 AND parent = 0)",
    "root in group user": "EXISTS (SELECT 1 FROM groupexperimentermap WHERE child = 0 AND parent = 1)",
    "a password of root": "EXISTS (SELECT 1 FROM password WHERE experimenter_id = 0 AND coalesce(hash, '') <> '')",
    "types of events": "EXISTS (SELECT 1 FROM eventtype)",
    "states of jobs": "EXISTS (SELECT 1 FROM jobstatus)",
    "types of pixels": "EXISTS (SELECT 1 FROM pixelstype)",
    "checksum algorithms": "EXISTS (SELECT 1 FROM checksumalgorithm)",
}


def _sequences(looked: Looked) -> Finding:
    """An id that a sequence gives out again would be refused, or worse, join what doesn't belong together."""
    from psycopg import sql

    known = {row[0] for row in looked.rows("SELECT relname::text FROM pg_class WHERE relkind = 'S'")}
    with_ids = sorted(name for name, columns in looked.present.items() if "id" in columns and not name.startswith("_"))
    tables = [name for name in with_ids if f"seq_{name}" in known]
    part = "SELECT {text}, (SELECT max(id) FROM {table}), s.last_value FROM {sequence} s"
    parts = [
        sql.SQL(part).format(text=sql.Literal(name), table=sql.Identifier(name), sequence=sql.Identifier(f"seq_{name}"))
        for name in tables
    ]
    rows = looked.connection.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall() if parts else []
    behind = [f"seq_{name} at {last}, ids to {highest}" for name, highest, last in rows if (highest or 0) > last]
    lacking = [f"seq_{name}" for name in looked.tables if name in with_ids and f"seq_{name}" not in known]
    return _complete("sequences", [*sorted(lacking), *behind], f"{len(tables)} sequences are ahead of their ids")


def _ownership(looked: Looked) -> Finding:
    rows = looked.rows(
        "SELECT c.relname::text, pg_get_userbyid(c.relowner)::text FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()"
        " AND c.relkind IN ('r', 'v', 'S') AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1"
    )
    others = [f"{name} belongs to {owner}" for name, owner in rows]
    if others:
        return Finding("ownership", Status.FAIL, _named(others), "REASSIGN OWNED BY … TO the role of omero.db.user")
    return Finding("ownership", Status.OK, "tables, views and sequences belong to the server's role")


def _identity(looked: Looked) -> Finding:
    rows = looked.rows("SELECT value FROM configuration WHERE name = 'omero.db.uuid'")
    value = str(rows[0][0]) if rows else ""
    try:
        uuid.UUID(value)
    except ValueError:
        return Finding("uuid", Status.FAIL, f"omero.db.uuid is {value!r}", "the database isn't whole; restore it")
    return Finding("uuid", Status.OK, value)


def _complete(name: str, missing: list[str], whole: str) -> Finding:
    if missing:
        return Finding(name, Status.FAIL, f"missing: {_named(missing)}", "restore the database from a backup")
    return Finding(name, Status.OK, whole)


def _named(items: list[str]) -> str:
    more = len(items) - _MOST_NAMED
    return ", ".join(items[:_MOST_NAMED]) + (f", and {more} more" if more > 0 else "")


def _when_whole(check: Callable[[Looked], Finding], name: str, *tables: str) -> Callable[[Looked], Finding]:
    """A check that can't be made without some tables."""

    def made(looked: Looked) -> Finding:
        missing = [table for table in tables if table not in looked.present]
        return _complete(name, missing, "") if missing else check(looked)

    return made


_SEED_TABLES = (
    "experimenter", "experimentergroup", "groupexperimentermap", "password", "eventtype", "jobstatus", "pixelstype",
    "checksumalgorithm",
)  # fmt: skip
_CHECKS: tuple[Callable[[Looked], Finding], ...] = (
    _patch,
    _tables,
    _columns,
    _constraints,
    _when_whole(_first_rows, "first-rows", *_SEED_TABLES),
    _sequences,
    _ownership,
    _when_whole(_identity, "uuid", "configuration"),
)
