"""Operations on the PostgreSQL of a host: database-role, database, database-hba, database-settings."""

from __future__ import annotations

from typing import Any

from omeroadmin.provisioning.operations.field import REQUIRED, Declaration, Field, FieldType

PORT = Field("port", FieldType.PORT, "Port of the server, which is part of its socket's name.", 5432)
SOCKET = Field("socket", FieldType.PATH, "Directory of its socket; by default psql's own.")
ACCOUNT = Field("account", FieldType.NAME, "Account that asks it; a superuser by the same name.", "postgres")
STATE = Field("state", FieldType.CHOICE, "`absent` drops it.", "present", choices=("present", "absent"))


def _rules_are_lines(fields: dict[str, Any]) -> str:
    wrong = next((line for line in fields["lines"] if "\n" in str(line) or not str(line).strip()), None)
    return "" if wrong is None else "each of lines is one line of pg_hba.conf"


def _set_or_removed(fields: dict[str, Any]) -> str:
    both = sorted(set(fields["set"]) & set(fields["remove"]))
    return f"{', '.join(both)} is in both set and remove" if both else ""


ROLE = Declaration(
    "database-role",
    "A role of PostgreSQL. Its password is compared with what the server keeps of it, and never sent.",
    (
        Field("name", FieldType.TEXT, "The role.", REQUIRED),
        Field("password", FieldType.TEXT, "Its password; by default it stays as it is.", secret=True),
        Field("login", FieldType.BOOLEAN, "Whether it may log in.", default=True),
        Field("superuser", FieldType.BOOLEAN, "Whether it may do everything.", default=False),
        Field("createdb", FieldType.BOOLEAN, "Whether it may create databases.", default=False),
        Field("createrole", FieldType.BOOLEAN, "Whether it may create roles.", default=False),
        Field("replication", FieldType.BOOLEAN, "Whether it may replicate.", default=False),
        Field("connection_limit", FieldType.INTEGER, "Connections at a time; -1: as many as there are.", default=-1),
        Field("member_of", FieldType.TEXTS, "Roles that it is a member of; others stay."),
        STATE,
        PORT,
        SOCKET,
        ACCOUNT,
    ),
    main="name",
    undo=True,
    example="database-role: {name: omero, password: '{{ omero_server_dbpassword }}'}",
)
DATABASE = Declaration(
    "database",
    "A database of PostgreSQL. One that is there is never dropped.",
    (
        Field("name", FieldType.TEXT, "The database.", REQUIRED),
        Field("owner", FieldType.TEXT, "The role that it belongs to.", REQUIRED),
        Field("encoding", FieldType.TEXT, "Encoding of its texts.", "UTF8"),
        Field("template", FieldType.TEXT, "The database that a new one is a copy of.", "template0"),
        Field("locale", FieldType.TEXT, "Order of its texts, such as `C.UTF-8`; by default the server's."),
        Field("extensions", FieldType.TEXTS, "Extensions that it has; others stay."),
        PORT,
        SOCKET,
        ACCOUNT,
    ),
    undo=True,
    example="database: {name: omero, owner: omero}",
)
HBA = Declaration(
    "database-hba",
    "Rules of pg_hba.conf, in a block before all others; the server reads them at once.",
    (
        Field("block", FieldType.NAME, "Name of the block.", "omero"),
        Field(
            "lines",
            FieldType.TEXTS,
            "The rules; none removes the block. An address without `/BITS` is that of one host.",
        ),
        PORT,
        SOCKET,
        ACCOUNT,
    ),
    undo=True,
    check=_rules_are_lines,
    example="database-hba: {lines: [hostssl omero omero 10.0.0.5/32 scram-sha-256]}",
)
SETTINGS = Declaration(
    "database-settings",
    "Settings of PostgreSQL, by ALTER SYSTEM. What waits for a restart is a change, until a trigger makes one: of the"
    " settings that are named, or, where none are, of all.",
    (
        Field("set", FieldType.MAP, "Settings and their values, such as `shared_buffers: 2GB`."),
        Field("remove", FieldType.TEXTS, "Settings that shall be what the server's own files say."),
        PORT,
        SOCKET,
        ACCOUNT,
    ),
    undo=True,
    check=_set_or_removed,
    example="database-settings: {set: {shared_buffers: 2GB}}\ntriggers: [restart-postgresql]",
)
DECLARED = (ROLE, DATABASE, HBA, SETTINGS)
