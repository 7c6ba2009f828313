"""``admin fixpyramids`` and ``removepyramids``: pyramids that are of no use go, and PixelData makes new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from omeroadmin.database import pixeldata
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import failed_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.repository.layout import pyramid_path
from omeroadmin.repository.pyramid_files import Endian, PyramidFile, remove_pyramid, scan_pyramids
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import wait_until

if TYPE_CHECKING:
    from psycopg import Connection

_PART = 1000


@dataclass(frozen=True)
class PyramidWish:
    """Which pyramids are meant.

    :param only_empty: those of no bytes
    :param endian: those of this byte order
    :param imported_after: those of images that were imported at this time, UTC, or later
    :param limit: so many at most
    :param missing: ask also for those that large images should have and don't
    """

    only_empty: bool = False
    endian: Endian | None = None
    imported_after: datetime | None = None
    limit: int | None = None
    missing: bool = False


@dataclass(frozen=True)
class PyramidPlan:
    """What is to be done.

    :param remove: pyramids that go
    :param held: those that somebody is writing; they stay
    :param unknown: those whose pixels the database doesn't know; they stay, ``admin cleanse`` deals with them
    :param missing: pixels without a pyramid that should have one
    :param problems: directories that couldn't be read, a line each
    """

    remove: tuple[PyramidFile, ...] = ()
    held: tuple[PyramidFile, ...] = ()
    unknown: int = 0
    missing: tuple[int, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that go."""
        return sum(pyramid.size for pyramid in self.remove)


@dataclass(frozen=True)
class PyramidReport:
    """What was done.

    :param removed: pyramids that are gone
    :param kept: those that somebody had begun to write meanwhile
    :param asked: pixels that PixelData was asked to look at
    :param last_row: id in the eventlog of the last request
    """

    removed: tuple[PyramidFile, ...] = ()
    kept: tuple[PyramidFile, ...] = ()
    asked: int = 0
    last_row: int = 0


@dataclass
class _Choice:
    """What a scan has found so far."""

    remove: list[PyramidFile] = field(default_factory=list)
    held: list[PyramidFile] = field(default_factory=list)
    unknown: int = 0
    problems: list[str] = field(default_factory=list)


def plan_pyramids(instance: Instance, wish: PyramidWish) -> PyramidPlan:
    """Look which pyramids are meant; nothing is changed.

    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    settings = load_settings(instance)
    choice = _Choice()
    missing: list[int] = []
    with connect(DatabaseAddress.from_settings(settings)) as connection:
        candidates = (one for one in scan_pyramids(settings.data_directory, choice.problems) if _is_meant(one, wish))
        while part := list(islice(candidates, _PART)):
            ids = [one.pixels_id for one in part]
            every = set(pixeldata.known_pixels(connection, ids))
            meant = set(pixeldata.known_pixels(connection, ids, wish.imported_after))
            choice.unknown += len(set(ids) - every)
            for one in part:
                if one.pixels_id in meant:
                    (choice.held if one.held_by else choice.remove).append(one)
        if wish.missing:
            missing = list(_missing(connection, settings))
    chosen = sorted(choice.remove, key=lambda one: one.pixels_id)[: wish.limit]
    return PyramidPlan(tuple(chosen), tuple(choice.held), choice.unknown, tuple(missing), tuple(choice.problems))


def _is_meant(pyramid: PyramidFile, wish: PyramidWish) -> bool:
    if wish.only_empty:
        return pyramid.size == 0
    return wish.endian is None or pyramid.endian is wish.endian


def _missing(connection: Connection[tuple[Any, ...]], settings: Settings) -> Iterator[int]:
    largest = settings.number("omero.pixeldata.max_plane_width") * settings.number("omero.pixeldata.max_plane_height")
    after = 0
    while ids := pixeldata.large_pixels(connection, largest, after=after, limit=_PART):
        yield from (number for number in ids if not pyramid_path(settings.data_directory, number).exists())
        after = ids[-1]


def carry_out(instance: Instance, plan: PyramidPlan) -> PyramidReport:
    """Remove what the plan says and ask PixelData for new ones; ``missing`` finds what a killed run didn't ask for.

    :raises AdminError: ``file-not-written``, and those of the database
    """
    ids = sorted({one.pixels_id for one in plan.remove} | set(plan.missing))
    removed: list[PyramidFile] = []
    kept: list[PyramidFile] = []
    if not ids:
        return PyramidReport()
    with connect(DatabaseAddress.from_settings(load_settings(instance))) as connection:
        for one in plan.remove:
            (removed if remove_pyramid(one) else kept).append(one)
        last_row = pixeldata.ask_for(connection, ids)
        connection.commit()
    return PyramidReport(tuple(removed), tuple(kept), len(ids), last_row)


def wait_for(instance: Instance, report: PyramidReport, seconds: float) -> None:
    """Wait until PixelData has dealt with the requests.

    :raises AdminError: ``pyramids-timeout``, and those of the database
    """
    if not report.last_row:
        return
    with connect(DatabaseAddress.from_settings(load_settings(instance)), autocommit=True) as connection:
        if not wait_until(
            lambda: pixeldata.position(connection) >= report.last_row, timeout=seconds, longest_pause=1.0
        ):
            raise failed_error(
                "pyramids-timeout",
                f"PixelData isn't through after {seconds:g} s; it goes on",
                "see what it does: var/log/PixelData-0.log",
            )
