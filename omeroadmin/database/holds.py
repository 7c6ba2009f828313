"""Who may remove files of the binary repository: an advisory lock that servers and backups share.

A server removes files only while it holds the lock alone. Whoever copies the repository holds it together with
others, and no file that the database of that moment names can vanish. The lock ends with its connection: a backup that
was killed holds nothing up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from omeroadmin.database.advisory import AdvisoryLock
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import locked_error

if TYPE_CHECKING:
    import psycopg

_WAIT_SECONDS = 60
"""A batch of removals takes a second or two, also on a slow disk."""
_KEEPALIVE_SECONDS = 60
"""Firewalls between a server and its database forget what has been silent for some minutes."""


class Hold:
    """A hold that lasts as long as its connection."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def lasts(self) -> bool:
        """Whether removals have been held ever since: false once the database server was stopped, for example."""
        import psycopg

        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True


@contextlib.contextmanager
def hold_removals(address: DatabaseAddress, *, timeout: int = _WAIT_SECONDS) -> Iterator[Hold]:
    """Hold removals up for hours, on a connection of its own that no idle timeout ends.

    :param timeout: seconds to wait for a removal that is under way
    :raises AdminError: ``removals-busy``, and as :func:`omeroadmin.database.connection.connect`
    """
    import psycopg

    with contextlib.closing(connect(address, autocommit=True)) as connection:
        connection.execute(
            "SELECT set_config(name, value, false) FROM (VALUES ('idle_session_timeout', '0'),"
            " ('tcp_keepalives_idle', %(idle)s), ('lock_timeout', %(wait)s), ('statement_timeout', '0'))"
            " AS wanted (name, value) JOIN pg_settings USING (name)",
            {"idle": str(_KEEPALIVE_SECONDS), "wait": f"{timeout}s"},
        )
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(removals_held(connection))
            except psycopg.errors.LockNotAvailable as error:
                raise locked_error(
                    "removals-busy",
                    f"files are being removed from the repository of {address.name} (waited {timeout} s)",
                    "try again when that has ended",
                ) from error
            yield Hold(connection)


@contextlib.contextmanager
def removals_held(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Let no server remove files of the repository; deletions stay possible, their files wait.

    Waits for a removal that is under way, for one batch of files at most.

    :param connection: used for nothing that could end it; in autocommit mode, or no transaction ends meanwhile
    """
    connection.execute("SELECT pg_advisory_lock_shared(%s)", (AdvisoryLock.REMOVALS,))
    try:
        yield
    finally:
        # Where the connection has broken, the lock has gone with it.
        if not connection.closed and not connection.broken:
            connection.execute("SELECT pg_advisory_unlock_shared(%s)", (AdvisoryLock.REMOVALS,))


def try_removals(connection: psycopg.Connection[Any]) -> bool:
    """Become the only one who removes files, until the transaction ends; not while somebody holds removals up."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS taken", (AdvisoryLock.REMOVALS,)).fetchone()
    if row is None:
        return False
    return bool(row["taken"] if isinstance(row, dict) else row[0])
