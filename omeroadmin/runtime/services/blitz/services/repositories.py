"""The three repositories of a server: registered in the database, marked on disk, locked while it runs."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.database.advisory import AdvisoryLock
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.repository.layout import read_repository_uuid, repository_lock, write_repository_uuid
from omeroadmin.runtime.kernel.failure import misconfigured
from omeroadmin.runtime.services.blitz.database import Connection, Database, next_id, one
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

SCRIPT_REPOSITORY = "ScriptRepo"
"""The script repository has this uuid in every OMERO database."""

_LOG = logging.getLogger("ome.services.blitz.repo")


@dataclass(frozen=True)
class Repository:
    """A root of files.

    :param kind: ``Managed``, ``Public`` or ``Script``
    """

    id: int
    uuid: str
    kind: str
    path: Path


class Repositories:
    """The repositories of this server."""

    def __init__(self, found: Sequence[Repository]) -> None:
        self.all = tuple(found)

    @property
    def managed(self) -> Repository:
        """Where imports go."""
        return next(repository for repository in self.all if repository.kind == "Managed")

    def root_of(self, repository_uuid: str) -> Path | None:
        """Directory of a repository; ``None`` where it isn't one of this server's."""
        for repository in self.all:
            if repository.uuid == repository_uuid:
                return repository.path
        return None


def register(database: Database, settings: Settings, instance: Instance) -> Repositories:
    """Find each root's repository by its marker, or make a new one; a root that has moved gets its new path.

    :raises AdminError: ``directory-missing``, ``repository-marker-missing``, ``marker-invalid``,
        ``directory-not-created``, ``file-not-written``
    """
    if not settings.data_directory.is_dir():
        # Made anew, it would hide what lies on a disk that isn't mounted.
        raise configuration_error(
            "directory-missing", f"the data directory (omero.data.dir) {settings.data_directory} is missing"
        )
    roots = (
        ("Public", settings.data_directory),
        ("Managed", settings.managed_repository),
        ("Script", instance.scripts_directory),
    )
    with database.transaction() as connection:
        # Another Blitz may be starting as well.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (AdvisoryLock.REPOSITORIES,))
        database_uuid = uuid_of(connection)
        return Repositories([_register(connection, database_uuid, kind, root.absolute()) for kind, root in roots])


def look_up(database: Database, settings: Settings, instance: Instance) -> Repositories:
    """The repositories that a server that writes has registered and marked.

    :raises AdminError: ``repository-unknown``, ``marker-invalid``
    """
    roots = (
        ("Public", settings.data_directory),
        ("Managed", settings.managed_repository),
        ("Script", instance.scripts_directory),
    )
    with database.transaction() as connection:
        database_uuid = uuid_of(connection)
        return Repositories([_known(connection, database_uuid, kind, root.absolute()) for kind, root in roots])


def _known(connection: Connection, database_uuid: str, kind: str, root: Path) -> Repository:
    marked = SCRIPT_REPOSITORY if kind == "Script" else read_repository_uuid(root, database_uuid)
    row = connection.execute(
        "SELECT id FROM originalfile WHERE mimetype = 'Repository' AND hash = %s ORDER BY id LIMIT 1", (marked,)
    ).fetchone()
    if marked is None or row is None:
        raise configuration_error(
            "repository-unknown",
            f"{root} is no repository of this database, and a read-only server makes none",
            "start the server once without omero.cluster.read_only.db and omero.cluster.read_only.repo",
        )
    _LOG.info("Opened repository %s (uuid=%s)", root, marked)
    return Repository(row["id"], marked, kind, root)


def uuid_of(connection: Connection) -> str:
    """The database's identity."""
    row = connection.execute("SELECT value FROM configuration WHERE name = 'omero.db.uuid'").fetchone()
    return str(one(row)["value"])


def _register(connection: Connection, database_uuid: str, kind: str, root: Path) -> Repository:
    fixed = SCRIPT_REPOSITORY if kind == "Script" else ""
    root.mkdir(parents=True, exist_ok=True)
    found = read_repository_uuid(root, database_uuid) or fixed
    parent, name = f"{root.parent}/", root.name
    row = connection.execute(
        "SELECT id, path, name FROM originalfile WHERE mimetype = 'Repository' AND hash = %s ORDER BY id LIMIT 1",
        (found,),
    ).fetchone()
    if found and row is not None:
        repository = Repository(row["id"], found, kind, root)
        if (row["path"], row["name"]) != (parent, name):
            connection.execute("UPDATE originalfile SET path = %s, name = %s WHERE id = %s", (parent, name, row["id"]))
            Changes(connection, None, "Internal").log("UPDATE", "OriginalFile", [row["id"]])
            _LOG.info("Moved repository %s (uuid=%s)", root, found)
    else:
        _refuse_empty_place(connection, kind, parent, name)
        repository = Repository(_insert(connection, found, parent, name), found or str(uuid.uuid4()), kind, root)
        connection.execute("UPDATE originalfile SET hash = %s WHERE id = %s", (repository.uuid, repository.id))
        _LOG.info("Registered new repository %s (uuid=%s)", root, repository.uuid)
    if read_repository_uuid(root, database_uuid) != repository.uuid:
        write_repository_uuid(root, database_uuid, repository.uuid)
    _LOG.info("Opened repository %s (uuid=%s)", root, repository.uuid)
    return repository


def _refuse_empty_place(connection: Connection, kind: str, parent: str, name: str) -> None:
    """A place that the database knows, whose marker is missing: a new repository there would hide the real one.

    :raises AdminError: ``repository-marker-missing``
    """
    row = connection.execute(
        "SELECT hash FROM originalfile known WHERE mimetype = 'Repository' AND path = %s AND name = %s AND EXISTS"
        " (SELECT FROM originalfile WHERE repo = known.hash) ORDER BY id DESC LIMIT 1",
        (parent, name),
    ).fetchone()
    if kind == "Managed" and row is not None:
        raise configuration_error(
            "repository-marker-missing",
            f"{parent}{name} should be repository {row['hash']}, which holds images, and has no marker of it",
            "mount its disk, or correct omero.managed.dir; if only .omero was lost, bring it back from a backup",
        )


def _insert(connection: Connection, repository_uuid: str, parent: str, name: str) -> int:
    changes = Changes(connection, None, "Internal")
    file_id = next_id(connection, "originalfile")
    connection.execute(
        "INSERT INTO originalfile (id, path, name, hash, size, mimetype, permissions, creation_id, update_id,"
        " group_id, owner_id) VALUES (%(id)s, %(path)s, %(name)s, %(uuid)s, 0, 'Repository', -52, %(event_id)s,"
        " %(event_id)s, 1, %(owner_id)s)",
        {"id": file_id, "path": parent, "name": name, "uuid": repository_uuid, **changes.details()},
    )
    changes.log("INSERT", "OriginalFile", [file_id])
    return file_id


def lock_all(
    stack: contextlib.ExitStack, repositories: Repositories, database_uuid: str, *, shared_with_others: bool
) -> None:
    """Hold the ``.lock`` of each repository as long as the stack.

    :param shared_with_others: whether another Blitz of this instance runs, which then holds the locks already
    :raises ServiceFailure: if a server that isn't of this instance uses a repository
    """
    for repository in repositories.all:
        try:
            stack.enter_context(repository_lock(repository.path, database_uuid))
        except AdminError as error:
            if error.code != "repository-locked":
                raise
            if not shared_with_others:
                raise misconfigured(error.message) from error
