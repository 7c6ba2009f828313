"""Who may remove files of the binary repository: an advisory lock that servers and backups share.

A server removes files only while it holds the lock alone. Whoever copies the repository holds it together with
others, and no file that the database of that moment names can vanish. The lock ends with its connection: a backup that
was killed holds nothing up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

REMOVALS_LOCK = 0x4F4D4503
"""Key of the advisory lock."""


@contextlib.contextmanager
def removals_held(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Let no server remove files of the repository; deletions stay possible, their files wait.

    Waits for a removal that is under way, for one batch of files at most.

    :param connection: used for nothing that could end it; in autocommit mode, or no transaction ends meanwhile
    """
    connection.execute("SELECT pg_advisory_lock_shared(%s)", (REMOVALS_LOCK,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock_shared(%s)", (REMOVALS_LOCK,))


def try_removals(connection: psycopg.Connection[Any]) -> bool:
    """Become the only one who removes files, until the transaction ends; not while somebody holds removals up."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s) AS taken", (REMOVALS_LOCK,)).fetchone()
    if row is None:
        return False
    return bool(row["taken"] if isinstance(row, dict) else row[0])
