"""What PixelData is asked to do: rows of the eventlog; and which pixels there are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

POSITION_KEY = "pixelDataEventLogLoader.v1.current_id"
"""Where OMERO's own tools look for PixelData's progress."""
ACTION = "PIXELDATA"
"""Action of the rows that ask for something."""

_KNOWN = """
SELECT p.id FROM pixels p JOIN image i ON i.id = p.image JOIN event e ON e.id = i.creation_id
 WHERE p.id = ANY(%s) AND (%s::timestamp IS NULL OR e.time >= %s::timestamp) ORDER BY p.id
"""
_LARGE = """
SELECT p.id FROM pixels p JOIN pixelstype t ON t.id = p.pixelstype
 WHERE p.id > %s AND p.sizex::bigint * p.sizey > %s
   AND t.value NOT IN ('float', 'double', 'complex', 'double-complex')
 ORDER BY p.id LIMIT %s
"""
_EVENT = """
INSERT INTO event (id, permissions, time, status, type, experimenter, experimentergroup, session)
SELECT ome_nextval('seq_event'), -52, now(), 'OK', id, 0, 0, 0 FROM eventtype WHERE value = 'Internal' RETURNING id
"""
_ROWS = """
WITH last AS MATERIALIZED (SELECT ome_nextval('seq_eventlog', %(count)s) AS id), logged AS (
    INSERT INTO eventlog (id, permissions, action, entitytype, entityid, event)
    SELECT last.id - %(count)s + n.position, -52, %(action)s, 'ome.model.core.Pixels', n.pixels, %(event)s
      FROM last, unnest(%(ids)s::bigint[]) WITH ORDINALITY AS n (pixels, position) RETURNING id)
SELECT max(id) FROM logged
"""


def known_pixels(connection: Connection, ids: Sequence[int], imported_after: datetime | None = None) -> list[int]:
    """Those pixels that exist.

    :param imported_after: only those whose images were imported at this time, UTC, or later
    """
    moment = None if imported_after is None else imported_after.replace(tzinfo=None)
    return [int(row[0]) for row in connection.execute(_KNOWN, (list(ids), moment, moment))]


def large_pixels(connection: Connection, largest: int, *, after: int, limit: int) -> list[int]:
    """Pixels whose planes are larger than a number of pixels, in the order of their ids; none of floating point.

    :param after: id; those up to it are left out
    """
    return [int(row[0]) for row in connection.execute(_LARGE, (after, largest, limit))]


def ask_for(connection: Connection, ids: Sequence[int]) -> int:
    """Ask PixelData to look at pixels again; the caller commits.

    :return: id of the last row; PixelData is done when its position has come as far
    """
    event = connection.execute(_EVENT).fetchone()
    if event is None or not ids:
        return 0
    parameters = {"count": len(ids), "ids": list(ids), "action": ACTION, "event": event[0]}
    row = connection.execute(_ROWS, parameters).fetchone()
    return 0 if row is None else int(row[0])


def position(connection: Connection) -> int:
    """Id of the last row that PixelData has dealt with."""
    row = connection.execute("SELECT value::bigint FROM configuration WHERE name = %s", (POSITION_KEY,)).fetchone()
    return 0 if row is None else int(row[0])
