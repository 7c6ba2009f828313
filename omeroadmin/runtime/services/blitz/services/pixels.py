"""What PixelData found out and made: minima and maxima of channels, and thumbnails."""

from __future__ import annotations

import math
from collections.abc import Sequence

from omeroadmin.runtime.services.blitz.database import Connection, Database, Row, next_id
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.problems import invalid, not_found

_LARGEST_SIDE = 4096

_FINISH_JOB = """
UPDATE job SET status = (SELECT id FROM jobstatus WHERE value = 'Finished'),
       started = coalesce(started, timezone('UTC', now())), finished = timezone('UTC', now())
 WHERE type = %(type)s AND finished IS NULL AND id IN (
       SELECT l.child FROM filesetjoblink l JOIN image i ON i.fileset = l.parent JOIN pixels p ON p.image = i.id
        WHERE p.id = %(pixels)s)
"""
_WANT_JOB = """
UPDATE job SET status = (SELECT id FROM jobstatus WHERE value = 'Submitted'), started = NULL, finished = NULL
 WHERE type = 'ThumbnailGenerationJob' AND status = (SELECT id FROM jobstatus WHERE value = 'Cancelled') AND id IN (
       SELECT l.child FROM filesetjoblink l JOIN image i ON i.fileset = l.parent WHERE i.id = %(image)s)
"""


class PixelsStore:
    """Writes for PixelData."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_statistics(self, pixels_id: int, channels: Sequence[tuple[float, float]]) -> None:
        """Store minimum and maximum of each channel.

        :param channels: in the order of the channels
        :raises AdminError: ``not-found``, ``request-invalid``
        """
        if not all(math.isfinite(low) and math.isfinite(high) for low, high in channels):
            raise invalid("minimum and maximum of a channel are finite numbers")
        with self._database.transaction() as connection:
            owner = _owner(connection, pixels_id)
            rows = connection.execute(
                "SELECT id, statsinfo FROM channel WHERE pixels = %s ORDER BY pixels_index", (pixels_id,)
            ).fetchall()
            if len(rows) != len(channels):
                raise invalid(f"pixels {pixels_id} has {len(rows)} channels, not {len(channels)}")
            changes = Changes(connection, None, "PixelData")
            details = changes.details(owner_id=owner["owner_id"], group_id=owner["group_id"])
            for row, (low, high) in zip(rows, channels, strict=True):
                _set_channel(connection, row, low, high, details)
            connection.execute(_FINISH_JOB, {"type": "PixelDataJob", "pixels": pixels_id})
            changes.log("UPDATE", "Channel", [row["id"] for row in rows])

    def add_thumbnail(self, pixels_id: int, size_x: int, size_y: int) -> int:
        """The row of a thumbnail; the file is written by who asked, to the path that belongs to the id.

        :return: its id; that of an earlier one of the same size where there is one
        :raises AdminError: ``not-found``, ``request-invalid``
        """
        if not (0 < size_x <= _LARGEST_SIDE and 0 < size_y <= _LARGEST_SIDE):
            raise invalid(f"a thumbnail has sides of 1 to {_LARGEST_SIDE} pixels")
        with self._database.transaction() as connection:
            owner = _owner(connection, pixels_id)
            present = connection.execute(
                "SELECT id FROM thumbnail WHERE pixels = %s AND sizex = %s AND sizey = %s ORDER BY id DESC LIMIT 1",
                (pixels_id, size_x, size_y),
            ).fetchone()
            if present is not None:
                return int(present["id"])
            changes = Changes(connection, None, "PixelData")
            thumbnail_id = next_id(connection, "thumbnail")
            connection.execute(
                "INSERT INTO thumbnail (id, pixels, sizex, sizey, mimetype, permissions, creation_id, update_id,"
                " group_id, owner_id) VALUES (%(id)s, %(pixels)s, %(x)s, %(y)s, 'image/jpeg', %(permissions)s,"
                " %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s)",
                {
                    "id": thumbnail_id,
                    "pixels": pixels_id,
                    "x": size_x,
                    "y": size_y,
                    **changes.details(owner_id=owner["owner_id"], group_id=owner["group_id"]),
                },
            )
            connection.execute(_FINISH_JOB, {"type": "ThumbnailGenerationJob", "pixels": pixels_id})
            changes.log("INSERT", "Thumbnail", [thumbnail_id])
        return thumbnail_id

    def want_thumbnails(self, image_id: int) -> None:
        """Have the thumbnails made that an import left out; does nothing where they are under way or can't be made.

        :param image_id: an image that somebody who may wants to see
        """
        with self._database.transaction() as connection:
            if not connection.execute(_WANT_JOB, {"image": image_id}).rowcount:
                return
            rows = connection.execute(
                "SELECT p.id FROM pixels p JOIN image i ON i.id = p.image"
                " WHERE i.fileset = (SELECT fileset FROM image WHERE id = %s) ORDER BY p.id",
                (image_id,),
            ).fetchall()
            Changes(connection, None, "PixelData").log("PIXELDATA", "Pixels", [row["id"] for row in rows])


def _owner(connection: Connection, pixels_id: int) -> Row:
    row = connection.execute("SELECT owner_id, group_id FROM pixels WHERE id = %s FOR UPDATE", (pixels_id,)).fetchone()
    if row is None:
        raise not_found("pixels", pixels_id)
    return row


def _set_channel(connection: Connection, channel: Row, low: float, high: float, details: Row) -> None:
    values = {"low": low, "high": high, **details}
    if channel["statsinfo"] is not None:
        connection.execute(
            "UPDATE statsinfo SET globalmin = %(low)s, globalmax = %(high)s, update_id = %(event_id)s"
            " WHERE id = %(id)s",
            {"id": channel["statsinfo"], **values},
        )
        return
    statistics_id = next_id(connection, "statsinfo")
    connection.execute(
        "INSERT INTO statsinfo (id, globalmin, globalmax, permissions, creation_id, update_id, group_id, owner_id)"
        " VALUES (%(id)s, %(low)s, %(high)s, %(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s,"
        " %(owner_id)s)",
        {"id": statistics_id, **values},
    )
    connection.execute("UPDATE channel SET statsinfo = %s WHERE id = %s", (statistics_id, channel["id"]))
