"""An instance worth backing up: a real database whose rows name real files in a managed repository."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from omeroadmin.database.connection import connect
from omeroadmin.profiles.store import update_profile
from omeroadmin.repository.layout import write_repository_uuid
from tests.support.database import DatabaseUnderTest, running_database

REPOSITORY_UUID = "0c6b6c8e-5b6f-4d0c-9df1-5d1fd2a0f7aa"
NAMES = ("plain.tif", "with space.png", "Größe µm.ome.tif", "empty.dat")


@dataclass
class Seeded:
    """An instance with files and rows.

    :param database: its running database
    :param next_id: of the next row
    """

    database: DatabaseUnderTest
    next_id: int = 1000

    @property
    def omerodir(self) -> Path:
        return self.database.instance.omerodir

    @property
    def data(self) -> Path:
        return self.database.settings.data_directory

    @property
    def managed(self) -> Path:
        return self.database.settings.managed_repository

    def insert(self, path: str, name: str, size: int | None, sha1: str | None, repo: str | None) -> int:
        """A row of originalfile; returns its id."""
        self.next_id += 1
        with connect(self.database.address) as connection:
            connection.execute(
                "INSERT INTO originalfile (id, path, name, repo, size, hash, hasher, permissions, creation_id,"
                " group_id, owner_id, update_id) VALUES (%s, %s, %s, %s, %s, %s,"
                " (SELECT id FROM checksumalgorithm WHERE value = 'SHA1-160'), -120, 0, 0, 0, 0)",
                (self.next_id, path, name, repo, size, sha1),
            )
        return self.next_id

    def insert_pixels(
        self,
        number: int,
        *,
        size: tuple[int, int] = (10, 5),
        sha1: str = "0" * 40,
        place: tuple[str, str] | None = None,
    ) -> None:
        """An image with 16-bit pixels and a thumbnail, all of the same id.

        :param size: width and height
        :param place: path and name in the managed repository; else the pixels have a file of their own
        """
        path, name = place or (None, None)
        details = "-120, 0, 0, 0, 0)"
        columns = "permissions, creation_id, group_id, owner_id, update_id)"
        with connect(self.database.address) as connection:
            connection.execute(
                f"INSERT INTO image (id, name, archived, partial, series, {columns}"
                f" VALUES (%s, 'x', false, false, 0, {details}",
                (number,),
            )
            connection.execute(
                "INSERT INTO pixels (id, image, image_index, sizex, sizey, sizez, sizec, sizet, pixelstype,"
                f" dimensionorder, sha1, path, name, repo, {columns}"
                " VALUES (%s, %s, 0, %s, %s, 1, 1, 1, (SELECT id FROM pixelstype WHERE value = 'uint16'),"
                f" (SELECT min(id) FROM dimensionorder), %s, %s, %s, %s, {details}",
                (number, number, *size, sha1, path, name, REPOSITORY_UUID if place else None),
            )
            connection.execute(
                f"INSERT INTO thumbnail (id, pixels, sizex, sizey, mimetype, {columns}"
                f" VALUES (%s, %s, 96, 96, 'image/jpeg', {details}",
                (number, number),
            )

    def add_file(self, path: str, name: str, content: bytes) -> Path:
        """A file in the managed repository, and its row."""
        directory = self.managed / path
        directory.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        self.insert(path, name, len(content), sha1, REPOSITORY_UUID)
        return directory / name


def seed(database: DatabaseUnderTest) -> Seeded:
    """Fill an instance: repository marker, files with rows, files without, configuration."""
    seeded = Seeded(database)
    update_profile(database.instance.config_xml, database.settings.explicit())
    with connect(database.address) as connection:
        row = connection.execute("SELECT value FROM configuration WHERE name = 'omero.db.uuid'").fetchone()
    assert row is not None
    write_repository_uuid(seeded.managed, str(row[0]), REPOSITORY_UUID)
    generator = random.Random(7)
    for number in range(3):
        for name in NAMES:
            size = 0 if name.startswith("empty") else generator.randrange(1, 300_000)
            seeded.add_file(f"root_0/2026-11/{number:02d}/", name, generator.randbytes(size))
    # Sorted otherwise by characters than by directories: "a-b" < "a/" < "a.b" does not hold in bytes.
    for path in ("order/a/", "order/a-b/", "order/a.b/", "order/A/"):
        seeded.add_file(path, "same.txt", b"the same content in several places\n")
    seeded.add_file("big_0/", "large.tif", generator.randbytes(3_000_000))
    seeded.insert_pixels(1001, size=(25, 20))
    for place in ("Pixels/Dir-001/1001", "Thumbnails/5", "Files/7", "DropBox/root/waiting.tif"):
        file = seeded.data / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(generator.randbytes(1000))
    (seeded.data / "BioFormatsCache").mkdir()
    (seeded.data / "BioFormatsCache" / "x.bfmemo").write_bytes(b"rebuilt")
    (seeded.data / "FullText").mkdir()
    (seeded.data / "FullText" / "meta.json").write_bytes(b"rebuilt")
    (seeded.data / "certs").mkdir(mode=0o700)
    (seeded.data / "certs" / "server.key").write_bytes(b"secret")
    (seeded.data / "certs" / "server.key").chmod(0o600)
    (seeded.omerodir / "lib" / "scripts" / "omero").mkdir(parents=True)
    (seeded.omerodir / "lib" / "scripts" / "omero" / "hello.py").write_text("print('hello')\n")
    (seeded.omerodir / "etc" / "internal.cfg").write_text("rendered\n")
    return seeded


@contextlib.contextmanager
def seeded_instance(directory: Path) -> Iterator[Seeded]:
    """A seeded instance with its database running."""
    with running_database(directory) as database:
        yield seed(database)


def age(*trees: Path) -> None:
    """Make all files an hour old, as files in a repository are."""
    for tree in trees:
        for path in tree.rglob("*"):
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns - 3600 * 10**9))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """One seeded instance for the tests of a module that don't change it."""
    with seeded_instance(tmp_path_factory.mktemp("source")) as seeded:
        age(seeded.data, seeded.omerodir / "lib")
        yield seeded


def copy_target(target: Path, to: Path) -> Path:
    """A copy of a target to damage."""
    shutil.copytree(target, to)
    return to


def flip(path: Path) -> None:
    """Change one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def tree(directory: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, modification time and content of all files below a directory."""
    return {
        path.relative_to(directory).as_posix(): (
            path.stat().st_mode & 0o777,
            path.stat().st_mtime_ns,
            path.read_bytes(),
        )
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }
