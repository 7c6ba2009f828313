"""How far the indexer has come in the eventlog: a number in the table ``configuration``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

POSITION_KEY = "PersistentEventLogLoader.v2.current_id"
"""Where OMERO's own tools look for the indexer's progress."""

_POSITION = "SELECT coalesce((SELECT value::bigint FROM configuration WHERE name = %s), 0)"
# The statement of OMERO's manual ("Monitoring re-indexing"), for a position that is known.
_PERCENT = """
SELECT trunc((SELECT count(*) FROM eventlog l WHERE l.id < %s) * 1.0
       / (SELECT count(*) FROM eventlog) * 100, 2) WHERE EXISTS (SELECT 1 FROM eventlog)
"""


@dataclass(frozen=True)
class LogProgress:
    """How far the eventlog is indexed.

    :param position: id of the last row that was dealt with
    :param first: lowest id of the log, 0 where it is empty
    :param last: highest id of the log
    :param rows: of the log
    :param behind: rows after the position
    :param percent: as the statement of OMERO's manual gives it: rows before the position, of all
    """

    position: int
    first: int
    last: int
    rows: int
    behind: int
    percent: float


def log_progress(connection: Connection) -> LogProgress:
    """Count the rows; that takes a second for each few million of them."""
    position = indexed_position(connection)
    row = connection.execute(
        "SELECT coalesce(min(id), 0), coalesce(max(id), 0), count(*), count(*) FILTER (WHERE id > %s) FROM eventlog",
        (position,),
    ).fetchone()
    first, last, rows, behind = (0, 0, 0, 0) if row is None else row
    return LogProgress(position, first, last, rows, behind, percent_indexed(connection, position))


def percent_indexed(connection: Connection, position: int) -> float:
    """Share of the rows that are before a position; 100 where there are none."""
    row = connection.execute(_PERCENT, (position,)).fetchone()
    return 100.0 if row is None else float(row[0])


def indexed_position(connection: Connection) -> int:
    """Id of the last row that was indexed; 0 before the first."""
    row = connection.execute(_POSITION, (POSITION_KEY,)).fetchone()
    return 0 if row is None else int(row[0])


def last_entry(connection: Connection) -> int:
    """Highest id of the eventlog."""
    row = connection.execute("SELECT coalesce(max(id), 0) FROM eventlog").fetchone()
    return 0 if row is None else int(row[0])


def store_position(connection: Connection, position: int) -> None:
    """Say that all rows up to this one are dealt with; the caller commits."""
    connection.execute(
        "INSERT INTO configuration (name, value) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (POSITION_KEY, str(position)),
    )
