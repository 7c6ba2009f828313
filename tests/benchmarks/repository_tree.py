"""Generates a repository of any size with a database that names its files, and orphans of every kind among them.

Files are sparse: they take names and sizes, and no room.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from omeroadmin.database.connection import connect
from omeroadmin.repository.layout import id_path
from omeroadmin.repository.orphans.findings import Kind
from tests.support.bare_repository import MANAGED_UUID, mark
from tests.support.database import DatabaseUnderTest

_FILES_OF_A_FILESET = 10
_OLD_SECONDS = 10 * 86_400


@dataclass(frozen=True)
class Size:
    """How many files of which kind; a hundredth of each kind is orphans.

    :param files: below ``Files``, and as many below ``Thumbnails``
    :param pixels: below ``Pixels``; a tenth of them has a pyramid
    :param filesets: of ten files and a log
    """

    files: int
    pixels: int
    filesets: int

    @classmethod
    def of(cls, total: int) -> Size:
        """Shares of a number of files."""
        return cls(total // 5, total // 10, total * 49 // 100 // (_FILES_OF_A_FILESET + 1))


def generate(database: DatabaseUnderTest, size: Size) -> dict[Kind, set[str]]:
    """Make the repository and the rows.

    :return: the orphans' paths below their root, by kind
    """
    data, managed = database.settings.data_directory, database.settings.managed_repository
    superuser = replace(database.superuser, name=database.address.name)
    with connect(superuser) as connection:
        # Rows of images and their hundred tables are of no use here.
        connection.execute("SET session_replication_role = replica")
        mark(connection, data, managed)
        _rows(connection, size)
    with connect(superuser, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) originalfile, pixels, thumbnail")
    orphans: dict[Kind, set[str]] = {kind: set() for kind in Kind}
    maker = _Maker()
    for kind, root, path, length in (*_id_files(size), *_managed_files(size)):
        maker.make(data if root == "data" else managed, path, length, old=kind in (Kind.LOCK, Kind.TEMPORARY))
        if kind is not None:
            orphans[kind].add(path)
    for number in range(size.filesets // 100 + 1):
        (managed / f"empty_{number}" / "2020-01").mkdir(parents=True)
        orphans[Kind.EMPTY_DIRECTORY] |= {f"empty_{number}", f"empty_{number}/2020-01"}
        place = id_path(_directory_id(size, number))
        (data / "Files" / place).mkdir(parents=True)
        orphans[Kind.FILES_DIRECTORY].add(f"Files/{place}")
    return orphans


class _Maker:
    """Makes files; directories once."""

    def __init__(self) -> None:
        self._made: set[str] = set()

    def make(self, root: Path, path: str, length: int, *, old: bool) -> None:
        whole = f"{root}/{path}"
        directory = whole.rpartition("/")[0]
        if directory not in self._made:
            os.makedirs(directory, exist_ok=True)  # noqa: PTH103 - a million times
            self._made.add(directory)
        descriptor = os.open(whole, os.O_WRONLY | os.O_CREAT, 0o640)
        if length:
            os.ftruncate(descriptor, length)
        if old:
            moment = time.time() - _OLD_SECONDS
            os.utime(descriptor, (moment, moment))
        os.close(descriptor)


_Made = tuple[Kind | None, str, str, int]


def _id_files(size: Size) -> Iterator[_Made]:
    for number in range(1, size.files + 1):
        place, lost = id_path(number), number % 100 == 0
        yield Kind.FILE if lost else None, "data", f"Files/{place}", 100
        yield Kind.THUMBNAIL if lost else None, "data", f"Thumbnails/{place}", 2000
    for number in range(1, size.pixels + 1):
        place, lost = id_path(number), number % 100 == 0
        yield Kind.PIXELS if lost else None, "data", f"Pixels/{place}", 100_000
        if number % 10 == 0:
            yield Kind.PYRAMID if lost else None, "data", f"Pixels/{place}_pyramid", 1_000_000
        if number % 1000 == 0:
            hidden = f"Pixels/{place.parent}/.{place.name}_pyramid"
            yield Kind.LOCK, "data", f"{hidden}.pyr_lock", 0
            yield Kind.TEMPORARY, "data", f"{hidden}.0123456789ab.tmp", 500


def _managed_files(size: Size) -> Iterator[_Made]:
    for number in range(size.filesets):
        directory = _directory(number)
        for index in range(_FILES_OF_A_FILESET):
            yield None, "managed", f"{directory}/plane_{index:03d}.tif", 50_000
        yield None, "managed", f"{directory}.log", 300
        if number % 10 == 0:
            yield Kind.LEFTOVER, "managed", f"{directory}/left over.tif", 50_000


def _directory(number: int) -> str:
    return f"user_{number % 50}/2020-{number % 12 + 1:02d}/{number % 28 + 1:02d}/run_{number}"


def _directory_id(size: Size, number: int) -> int:
    return 500_000_000 + size.files + number * 1009


_DETAILS = "permissions, creation_id, update_id, group_id, owner_id"
_VALUES = "-52, 0, 0, 0, 0"
_ROWS = """
INSERT INTO originalfile (id, path, name, size, hash, {details})
SELECT n, '/', 'file', 100, 'x', {values} FROM generate_series(1, {files}) n WHERE n % 100 <> 0
    ON CONFLICT DO NOTHING;
INSERT INTO thumbnail (id, pixels, sizex, sizey, mimetype, {details})
SELECT n, n, 96, 96, 'image/jpeg', {values} FROM generate_series(1, {files}) n WHERE n % 100 <> 0;
INSERT INTO pixels (id, image, image_index, sizex, sizey, sizez, sizec, sizet, pixelstype, dimensionorder, sha1,
                    {details})
SELECT n, n, 0, 1, 1, 1, 1, 1, 1, 1, 'x', {values} FROM generate_series(1, {pixels}) n WHERE n % 100 <> 0;
CREATE TEMPORARY TABLE run AS
SELECT n, 'user_' || n % 50 || '/2020-' || lpad((n % 12 + 1)::text, 2, '0') || '/' || lpad((n % 28 + 1)::text, 2, '0')
       || '/' AS above FROM generate_series(0, {filesets} - 1) n;
INSERT INTO originalfile (id, path, name, repo, size, hash, {details})
SELECT 1000000000 + n * 16 + i, above || 'run_' || n || '/', 'plane_' || lpad(i::text, 3, '0') || '.tif', '{managed}',
       50000, 'x', {values} FROM run, generate_series(0, {each} - 1) i;
INSERT INTO originalfile (id, path, name, repo, size, hash, {details})
SELECT 1000000000 + n * 16 + 15, above, 'run_' || n || '.log', '{managed}', 300, 'x', {values} FROM run;
SELECT setval('seq_originalfile', 3000000000);
"""


def _rows(connection: psycopg.Connection[Any], size: Size) -> None:
    script = _ROWS.format(
        details=_DETAILS,
        values=_VALUES,
        files=size.files,
        pixels=size.pixels,
        filesets=size.filesets,
        each=_FILES_OF_A_FILESET,
        managed=MANAGED_UUID,
    )
    connection.execute(script.encode())
