"""Blitz's connections to the database: a pool, and transactions that commit whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from omeroadmin.database.connection import DatabaseAddress, check_version
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import unreachable_error
from omeroadmin.runtime.kernel.database import connection_string, why_not
from omeroadmin.schema.settings import Settings

Connection: TypeAlias = psycopg.Connection[DictRow]
Row: TypeAlias = dict[str, Any]

_WAIT_SECONDS = 10.0
_IDLE_SECONDS = 300.0


class Database:
    """The database ``omero.db.name``.

    :param settings: ``omero.db.*``; ``omero.db.poolsize`` is the number of connections at most
    """

    def __init__(self, settings: Settings, *, server_id: str) -> None:
        self._settings = settings
        self._conninfo = connection_string(settings, server_id=server_id)
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._conninfo,
            connection_class=psycopg.Connection[DictRow],
            kwargs={"row_factory": dict_row},
            min_size=1,
            max_size=max(1, settings.number("omero.db.poolsize")),
            open=False,
            timeout=_WAIT_SECONDS,
            max_idle=_IDLE_SECONDS,
            check=ConnectionPool.check_connection,
            num_workers=1,
        )

    def open(self) -> SchemaVersion:
        """Make sure that the database answers and is the right one, then fill the pool.

        :return: version of its schema
        :raises AdminError: what :func:`omeroadmin.database.connection.explain` and ``check_version`` raise
        """
        wanted = SchemaVersion.from_settings(self._settings)
        try:
            with psycopg.connect(self._conninfo) as connection:
                version = check_version(connection, wanted)
        except psycopg.OperationalError as error:
            raise why_not(self._settings, error) from error
        self._pool.open(wait=True)
        return version

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection; its transaction is committed at the end of the block, or rolled back by an exception.

        :raises AdminError: ``database-unavailable`` if no connection is to be had
        """
        try:
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise unreachable_error(
                "database-unavailable", f"the database {DatabaseAddress.from_settings(self._settings)} doesn't answer"
            ) from error

    def rows(self, statement: str, parameters: dict[str, Any] | None = None) -> list[Row]:
        """All rows of a query."""
        with self.transaction() as connection:
            return connection.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: dict[str, Any] | None = None) -> Row | None:
        """The first row of a query."""
        with self.transaction() as connection:
            return connection.execute(statement, parameters).fetchone()

    def close(self) -> None:
        """Give all connections back."""
        self._pool.close(timeout=2)


def one(row: Row | None) -> Row:
    """A row that must be there."""
    if row is None:
        raise LookupError("a query that always gives a row gave none")
    return row


def next_ids(connection: Connection, table: str, count: int = 1) -> range:
    """New consecutive ids of a table."""
    row = connection.execute("SELECT ome_nextval(%s, %s) AS id", (f"seq_{table}", count)).fetchone()
    last = int(one(row)["id"])
    return range(last - count + 1, last + 1)


def next_id(connection: Connection, table: str) -> int:
    """One new id of a table."""
    return next_ids(connection, table)[0]


class Ids:
    """Ids of several tables, asked for at once; more of a table, or of another, cost a question of their own.

    :param counts: how many ids of which table
    """

    def __init__(self, connection: Connection, counts: Mapping[str, int]) -> None:
        self._connection = connection
        wanted = {table: count for table, count in counts.items() if count}
        # Names of tables are constants of the callers; they are quoted all the same.
        columns = sql.SQL(", ").join(
            sql.SQL("ome_nextval({}, {}) AS {}").format(f"seq_{table}", count, sql.Identifier(table))
            for table, count in wanted.items()
        )
        row = one(connection.execute(sql.SQL("SELECT {}").format(columns)).fetchone()) if wanted else {}
        self._left = {table: range(int(row[table]) - count + 1, int(row[table]) + 1) for table, count in wanted.items()}

    def take(self, table: str, count: int = 1) -> range:
        """Consecutive ids of a table."""
        left = self._left.get(table, range(0))
        if len(left) < count:
            return next_ids(self._connection, table, count)
        self._left[table] = left[count:]
        return left[:count]

    def one(self, table: str) -> int:
        """One id of a table."""
        return self.take(table)[0]


@contextlib.contextmanager
def together(connection: Connection) -> Iterator[None]:
    """Statements of the block are sent without waiting for each one's end; what fails is told at its end at the latest.

    Older libraries of PostgreSQL can't: then each is waited for.
    """
    with connection.pipeline() if psycopg.Pipeline.is_supported() else contextlib.nullcontext():
        yield
