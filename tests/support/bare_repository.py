"""A database and a marked repository without a server, for tests of what works on both directly."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database.connection import connect
from omeroadmin.database.stored import database_uuid
from omeroadmin.repository.layout import write_repository_uuid
from omeroadmin.workflows.cleanse import CleanseWish
from tests.support.database import DatabaseUnderTest, running_database

if TYPE_CHECKING:
    import psycopg

MANAGED_UUID = "11111111-2222-3333-4444-555555555555"
PUBLIC_UUID = "66666666-7777-8888-9999-000000000000"
_DETAILS = "permissions, creation_id, update_id, group_id, owner_id"
_VALUES = "-52, 0, 0, 0, 0"


@dataclass(frozen=True)
class BareRepository:
    """What a server would use."""

    database: DatabaseUnderTest

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.database.settings.data_directory

    @property
    def managed(self) -> Path:
        """The managed repository."""
        return self.database.settings.managed_repository

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement."""
        with connect(self.database.address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def wipe(self) -> None:
        """Remove all files and rows but for the markers."""
        self.sql("DELETE FROM originalfile WHERE id >= 0")
        for root in (self.managed, self.data):
            for path in root.iterdir():
                if path.is_symlink() or not path.is_dir():
                    path.unlink()
                elif path.name != ".omero" and path != self.managed:
                    shutil.rmtree(path)
            shutil.rmtree(root / ".omero" / "quarantine", ignore_errors=True)

    def add_row(
        self, file_id: int, path: str = "/", name: str = "file", repo: str | None = None, size: int = 6
    ) -> None:
        """A row of originalfile."""
        self.sql(
            f"INSERT INTO originalfile (id, path, name, repo, size, {_DETAILS}) VALUES (%s, %s, %s, %s, %s, {_VALUES})",
            file_id, path, name, repo, size,
        )  # fmt: skip

    def add_managed(self, file_id: int, place: str, size: int = 6) -> None:
        """A row of a file of the managed repository."""
        directory, _, name = place.rpartition("/")
        self.add_row(file_id, f"{directory}/", name, MANAGED_UUID, size)

    def wish(self, **more: Any) -> CleanseWish:
        """A wish for a cleanse."""
        return CleanseWish(self.database.instance, self.database.settings, **more)


def mark(connection: psycopg.Connection[Any], data: Path, managed: Path) -> None:
    """Make the two roots repositories of a database: markers and rows."""
    identity = database_uuid(connection)
    for number, root, uuid in ((-1, data, PUBLIC_UUID), (-2, managed, MANAGED_UUID)):
        root.mkdir(parents=True, exist_ok=True)
        write_repository_uuid(root, identity, uuid)
        connection.execute(
            f"INSERT INTO originalfile (id, path, name, hash, size, mimetype, {_DETAILS})"
            f" VALUES (%s, %s, %s, %s, 0, 'Repository', {_VALUES})".encode(),
            (number, f"{root.parent}/", root.name, uuid),
        )


@contextlib.contextmanager
def bare_repository(directory: Path) -> Iterator[BareRepository]:
    """A database that runs, and the two roots with their markers and rows."""
    with running_database(directory) as database:
        repository = BareRepository(database)
        with connect(database.address) as connection:
            mark(connection, repository.data, repository.managed)
        yield repository
