"""Errors that the database's driver raises in the middle of something, as the failures that an admin may meet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from omeroadmin.errors import AdminError, configuration_error, failed_error, unreachable_error

if TYPE_CHECKING:
    import psycopg

_CONNECTIONS = ("08", "57P")
"""Beginnings of the SQLSTATEs of connections that ended; one that the server didn't end has none."""


def failure_of(error: BaseException) -> AdminError | None:
    """The failure that an error of the driver stands for.

    :return: ``None`` for other errors, and for those that only a bug of ours brings about
    """
    if "psycopg" not in sys.modules:
        # Nothing has asked a database, and the import takes longer than the rest of many a command.
        return None
    import psycopg
    from psycopg import errors

    if isinstance(error, errors.InsufficientPrivilege):
        return configuration_error(
            "database-denied",
            f"the role of omero.db.user lacks a right in the database: {_words(error)}",
            "see whose the tables are: omero db check",
        )
    if isinstance(error, (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)):
        return configuration_error(
            "database-incomplete",
            f"the database isn't whole: {_words(error)}",
            "see what it lacks: omero db check",
        )
    if not isinstance(error, psycopg.OperationalError):
        return None
    if error.sqlstate is None or error.sqlstate.startswith(_CONNECTIONS):
        return database_lost(error, "see PostgreSQL's log, and try again")
    return failed_error("database-failed", f"the database gave up: {_words(error)}", "see PostgreSQL's log")


def database_lost(error: psycopg.Error, hint: str) -> AdminError:
    """The failure of whoever was cut off.

    :param hint: the next step
    """
    return unreachable_error("database-lost", f"the database went away: {_words(error)}", hint)


def _words(error: psycopg.Error) -> str:
    return error.diag.message_primary or (str(error).strip().splitlines() or ["no reason"])[0]
