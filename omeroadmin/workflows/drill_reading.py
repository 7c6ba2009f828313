"""Reads images of a drill's server as a client would, one of each format, and counts what a client sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.access.client import Client
from omeroadmin.access.content import download, read_file
from omeroadmin.backups.faults import Fault
from omeroadmin.errors import AdminError, ExitStatus, failed_error
from omeroadmin.repository.checksums import new_hasher
from omeroadmin.repository.formats import format_of
from omeroadmin.repository.plane_probe import probe_plane
from omeroadmin.system import files
from omeroadmin.system.clock import wait_until

if TYPE_CHECKING:
    from psycopg import Connection

_THUMBNAIL_SIZE = 96
_THUMBNAIL_PATIENCE = 30.0
"""Seconds for PixelData to make a thumbnail that isn't there."""
_JPEG_START = b"\xff\xd8"
_COUNTED = {"images": "image", "filesets": "fileset"}

# The newest image of each format; one with files where there is any.
_SAMPLES = """
  WITH newest AS (SELECT format, coalesce(max(id) FILTER (WHERE fileset IS NOT NULL), max(id)) AS id
                    FROM image GROUP BY format)
SELECT coalesce(f.value, 'Unknown'), i.id, coalesce(i.series, 0), coalesce(m.path, e.path, ''),
       coalesce(m.name, e.name, ''), p.sizex, p.sizey, EXISTS (SELECT 1 FROM thumbnail t WHERE t.pixels = p.id)
  FROM newest n
  JOIN image i ON i.id = n.id
  JOIN pixels p ON p.image = i.id
  LEFT JOIN format f ON f.id = n.format
  LEFT JOIN LATERAL (
       SELECT o.path, o.name FROM pixelsoriginalfilemap l JOIN originalfile o ON o.id = l.parent
        WHERE l.child = p.id ORDER BY l.id LIMIT 1) m ON true
  LEFT JOIN LATERAL (
       SELECT o.path, o.name FROM filesetentry s JOIN originalfile o ON o.id = s.originalfile
        WHERE s.fileset = i.fileset ORDER BY s.fileset_index LIMIT 1) e ON true
 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Sample:
    """An image to read.

    :param format: OMERO's name of its format
    :param series: number of the image in its file
    :param file: its file, or the one with its metadata, below the managed repository; empty where it has none
    :param size: width and height as the database has them
    :param has_thumbnail: whether the database says that there is one
    """

    format: str
    image: int
    series: int
    file: str
    size: tuple[int, int]
    has_thumbnail: bool

    @property
    def is_decodable(self) -> bool:
        """Whether this toolkit knows the format; of others, the bytes of the files must do."""
        return bool(self.file) and format_of(self.file) is not None

    def __str__(self) -> str:
        return f"Image:{self.image} ({self.format})"


def choose_samples(connection: Connection[Any]) -> list[Sample]:
    """One image of each format that the database knows images of."""
    return [
        Sample(str(row[0]), int(row[1]), int(row[2]), _joined(row[3], row[4]), (row[5], row[6]), row[7])
        for row in connection.execute(_SAMPLES)
    ]


def _joined(path: str, name: str) -> str:
    return f"{path.strip('/')}/{name}" if name else ""


def read_sample(client: Client, sample: Sample, managed: Path) -> Iterator[Fault]:
    """Faults of one image: its thumbnail, the bytes of all its files, and a plane of its pixels.

    :param managed: the managed repository of the drill's server
    :raises AdminError: where the server doesn't answer
    """
    yield from _guarded(sample, "thumbnail-unreadable", lambda: _read_thumbnail(client, sample))
    yield from _guarded(sample, "file-unreadable", lambda: _read_files(client, sample))
    if sample.is_decodable:
        yield from _guarded(sample, "plane-unreadable", lambda: _read_plane(sample, managed))


def count_faults(client: Client, counts: dict[str, int]) -> Iterator[Fault]:
    """Faults where a client doesn't see as many objects as the database has.

    :param counts: of :func:`count_objects`
    """
    for path, number in counts.items():
        seen = client.get(f"/{path}", limit=1, count="true").get("total")
        if seen != number:
            yield Fault("count-differs", path, f"a client sees {seen}, the database has {number}")


def count_objects(connection: Connection[Any]) -> dict[str, int]:
    """Number of images and filesets in the database."""
    counts = {}
    for path, table in _COUNTED.items():
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 - constants
        counts[path] = 0 if row is None else int(row[0])
    return counts


def _guarded(sample: Sample, code: str, read: Callable[[], None]) -> Iterator[Fault]:
    try:
        read()
    except AdminError as error:
        if error.exit_status == ExitStatus.UNREACHABLE:
            raise
        # A group may forbid downloads to everybody; that is as it was in the original.
        if error.code != "permission-denied":
            yield Fault(code, str(sample), error.message)


def _read_thumbnail(client: Client, sample: Sample) -> None:
    content = bytearray()
    missing: list[AdminError] = []

    def is_there() -> bool:
        try:
            content.clear()
            client.download(f"/images/{sample.image}/thumbnail?size={_THUMBNAIL_SIZE}", content.extend)
        except AdminError as error:
            if error.code != "thumbnail-missing":
                raise
            missing[:] = [error]
            return False
        return True

    if not wait_until(is_there, timeout=_THUMBNAIL_PATIENCE if sample.has_thumbnail else 0):
        if sample.has_thumbnail:
            raise missing[0]
    elif not content.startswith(_JPEG_START):
        raise failed_error("thumbnail-unreadable", "its thumbnail is no JPEG")


def _read_files(client: Client, sample: Sample) -> None:
    for document in client.items(client.get(f"/images/{sample.image}/files"), "files"):
        download(client, read_file(client, document), lambda _: None, new_hasher)


def _read_plane(sample: Sample, managed: Path) -> None:
    found = probe_plane(files.inside(managed, sample.file), sample.series)
    if found != sample.size:
        width, height = sample.size
        raise failed_error(
            "plane-unreadable", f"its first plane is {found[0]} x {found[1]} pixels, not {width} x {height}"
        )
