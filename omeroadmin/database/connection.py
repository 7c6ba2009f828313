"""Connections to the server's database, and what is wrong when there is none, in one line."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database.passfile import password_file
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError, configuration_error, failed_error, unreachable_error
from omeroadmin.schema.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection, OperationalError

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection to a host that doesn't answer at all."""


@dataclass(frozen=True)
class DatabaseAddress:
    """Where a database is and who logs in.

    :param password: never shown
    """

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> DatabaseAddress:
        """The address that ``omero.db.*`` gives.

        :raises AdminError: ``setting-invalid``
        """
        port = settings.number("omero.db.port")
        if not 0 < port < 65536:
            raise configuration_error(
                "setting-invalid",
                f"omero.db.port is {port}, which is not a port number",
                "omero config set omero.db.port 5432",
            )
        return cls(
            settings.text("omero.db.host").strip() or "localhost",
            port,
            settings.text("omero.db.name").strip(),
            settings.text("omero.db.user").strip(),
            settings.text("omero.db.pass"),
        )

    def __str__(self) -> str:
        return f"{self.name} on {self.host}:{self.port}"

    @contextlib.contextmanager
    def environment(self) -> Iterator[dict[str, str]]:
        """Variables for PostgreSQL's programs; the password stands in a file that lives as long as the block."""
        with password_file(self.user, self.password) as passfile:
            yield {
                "PGHOST": self.host,
                "PGPORT": str(self.port),
                "PGDATABASE": self.name,
                "PGUSER": self.user,
                "PGPASSFILE": passfile,
                # Those of whoever runs this would count for more.
                "PGPASSWORD": "",
                "PGHOSTADDR": "",
                "PGCONNECT_TIMEOUT": str(int(CONNECT_TIMEOUT)),
                "PGCLIENTENCODING": "UTF8",
                "PGTZ": "UTC",
            }


def connect(
    address: DatabaseAddress, *, timeout: float = CONNECT_TIMEOUT, autocommit: bool = False
) -> Connection[tuple[Any, ...]]:
    """A connection whose times are UTC.

    :param timeout: seconds to wait for the server
    :raises AdminError: ``database-unreachable``, ``database-password``, ``database-role``, ``database-missing``,
        ``database-starting``, ``database-full``, ``database-refused``
    """
    import psycopg

    try:
        return psycopg.connect(
            host=address.host,
            port=address.port,
            dbname=address.name,
            user=address.user,
            password=address.password,
            connect_timeout=max(1, round(timeout)),
            autocommit=autocommit,
            application_name="omero",
            options="-c timezone=UTC",
        )
    except psycopg.OperationalError as error:
        raise explain(address, error, timeout=timeout) from error


@dataclass(frozen=True)
class _Failure:
    """What the server says of a failed login, and what that means; all texts are formats.

    libpq gives no SQLSTATE for what happens before the login is through, so the server's words decide.
    """

    words: tuple[str, ...]
    error: Callable[[str, str, str], AdminError]
    code: str
    message: str
    hint: str


_FAILURES = (
    _Failure(
        ("password authentication failed", "no password supplied"),
        configuration_error,
        "database-password",
        "the database server at {host}:{port} refuses the password of user {user}",
        "correct omero.db.user and omero.db.pass: omero config set omero.db.pass PASSWORD",
    ),
    _Failure(
        ('role "{user}" does not exist',),
        configuration_error,
        "database-role",
        "the database server at {host}:{port} has no role {user}",
        "make it: createuser --pwprompt {user}, or correct omero.db.user",
    ),
    _Failure(
        ('database "{name}" does not exist',),
        configuration_error,
        "database-missing",
        "the database server at {host}:{port} has no database {name}",
        "make it: createdb --encoding UTF8 --owner {user} {name}, or correct omero.db.name",
    ),
    _Failure(
        ("starting up", "shutting down"),
        unreachable_error,
        "database-starting",
        "the database server at {host}:{port} is starting up or shutting down",
        "try again in a moment",
    ),
    _Failure(
        ("too many clients", "too many connections", "remaining connection slots"),
        failed_error,
        "database-full",
        "the database server at {host}:{port} takes no more connections",
        "raise PostgreSQL's max_connections, or lower omero.db.poolsize",
    ),
)


def explain(address: DatabaseAddress, error: OperationalError, *, timeout: float = CONNECT_TIMEOUT) -> AdminError:
    """The failure that a connection's error stands for."""
    words = " ".join(str(error).split())
    values = {"host": address.host, "port": address.port, "name": address.name, "user": address.user}
    if not _answers(address, timeout):
        return unreachable_error(
            "database-unreachable",
            f"the database server at {address.host}:{address.port} does not answer",
            "start it, or correct omero.db.host and omero.db.port: omero config get omero.db.host",
        )
    for failure in _FAILURES:
        if any(part.format(**values) in words for part in failure.words):
            return failure.error(failure.code, failure.message.format(**values), failure.hint.format(**values))
    if "FATAL:" not in words:
        return unreachable_error(
            "database-unreachable",
            f"what listens at {address.host}:{address.port} does not answer as PostgreSQL does: {words}",
            "correct omero.db.host and omero.db.port: omero config get omero.db.port",
        )
    return failed_error(
        "database-refused",
        f"no connection to the database {address} as {address.user}: {words.rpartition('FATAL:')[2].strip()}",
        "look at PostgreSQL's log and its pg_hba.conf",
    )


def _answers(address: DatabaseAddress, timeout: float) -> bool:
    if address.host.startswith("/"):
        return (Path(address.host) / f".s.PGSQL.{address.port}").exists()
    try:
        socket.create_connection((address.host, address.port), timeout=timeout).close()
    except OSError:
        return False
    return True


def server_version(connection: Connection[Any]) -> tuple[int, int]:
    """Major and minor version of the server."""
    number = connection.info.server_version
    return number // 10000, number % 10000


def schema_version(connection: Connection[Any]) -> SchemaVersion | None:
    """The version that the database records; ``None`` where it holds no OMERO schema."""
    present = connection.execute("SELECT to_regclass('dbpatch')").fetchone()
    if present is None or present[0] is None:
        return None
    row = connection.execute("SELECT currentversion, currentpatch FROM dbpatch ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else SchemaVersion(str(row[0]), int(row[1]))


def check_version(connection: Connection[Any], wanted: SchemaVersion) -> SchemaVersion:
    """Make sure that the database is the one that the server was made for.

    :param wanted: of :meth:`SchemaVersion.from_settings`
    :raises AdminError: ``database-encoding``, ``database-empty``, ``database-version``
    """
    row = connection.execute("SELECT current_setting('server_encoding'), current_database()").fetchone()
    encoding, name = row if row is not None else ("unknown", "")
    if encoding != "UTF8":
        raise configuration_error(
            "database-encoding",
            f"the database {name} has the encoding {encoding}; OMERO needs UTF8",
            "make it anew: createdb --template template0 --encoding UTF8 NAME",
        )
    found = schema_version(connection)
    if found is None:
        raise configuration_error(
            "database-empty",
            "Error connecting to database table dbpatch. You may need to bootstrap.",
            "omero db init",
        )
    if found != wanted:
        raise configuration_error(
            "database-version",
            f"DB version ({found}) does not match the configured value ({wanted}). Please apply a db upgrade.",
            "omero db upgrade --dry-run; or correct omero.db.version and omero.db.patch",
        )
    return found
