"""Directories of the managed repository that administrators make, as mount points of further disks for example."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from omeroadmin.errors import failed_error
from omeroadmin.repository.path_rules import PathRules, safe_relative_paths
from omeroadmin.runtime.services.blitz.database import Connection, Database, next_id
from omeroadmin.runtime.services.blitz.services.actor import USER_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied, invalid
from omeroadmin.runtime.services.blitz.services.repositories import Repository
from omeroadmin.system import files

_MODE = 0o755
_ROOT = 0
_INSERT = """
INSERT INTO originalfile (id, path, name, repo, size, mimetype, permissions, creation_id, update_id, group_id, owner_id)
VALUES (%(id)s, %(path)s, %(name)s, %(repo)s, 0, 'Directory', %(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s,
        %(owner_id)s)
"""
_FIND = "SELECT id FROM originalfile WHERE repo = %(repo)s AND path = %(path)s AND name = %(name)s"


@dataclass(frozen=True)
class Directory:
    """A directory of a repository.

    :param path: of the directory that it is in
    :param created: whether anything had to be made
    """

    id: int
    path: str
    name: str
    created: bool


class Directories:
    """Makes directories; they belong to root, in the group of all users."""

    def __init__(self, database: Database, repository: Repository, rules: PathRules) -> None:
        self._database = database
        self._repository = repository
        self._rules = rules

    def make(self, actor: Actor, path: str, *, parents: bool = False) -> Directory:
        """A directory on the disk and its row.

        :param path: below the repository
        :param parents: also make those above that are missing; one that is there already is no error
        :raises AdminError: ``permission-denied``, ``path-escapes``, ``file-name-invalid``, ``file-exists``,
            ``directory-not-created``, ``request-invalid``
        """
        if not {Privilege.WRITE_MANAGED_REPO, Privilege.CHOWN} <= actor.privileges:
            raise denied("only administrators with the privileges WriteManagedRepo and Chown may make directories")
        wanted = self._checked(path)
        levels = [PurePosixPath(*wanted.parts[: depth + 1]) for depth in range(len(wanted.parts))]
        target = self._place(wanted)
        if not parents:
            if target.exists() or target.is_symlink():
                raise conflict("file-exists", f"{wanted} is in the repository already")
            if len(levels) > 1 and not self._place(levels[-2]).is_dir():
                raise conflict(
                    "directory-not-created", f"{levels[-2]} is not in the repository; --parents makes it too"
                )
        made = False
        directory_id = 0
        with self._database.transaction() as connection:
            changes = Changes(connection, actor)
            for level in levels if parents else levels[-1:]:
                directory_id, is_new = self._record(connection, changes, level)
                made = made or is_new
            for level in levels:
                made = self._make(self._place(level)) or made
        return Directory(directory_id, _parent(wanted), wanted.name, made)

    def _checked(self, path: str) -> PurePosixPath:
        """The path, if the rules for names allow each of its parts."""
        relative = path.strip("/")
        # A name that follows keeps the rules from leaving directories out that all paths share.
        checked = [safe_relative_paths([part], self._rules)[0] for part in relative.split("/") if part not in ("", ".")]
        if not checked or checked[0].name.startswith("."):
            raise invalid(f"{path[:200]!r} is not the path of a directory below the repository")
        return PurePosixPath(*checked)

    def _place(self, relative: PurePosixPath) -> Path:
        return files.inside(self._repository.path, str(relative))

    def _record(self, connection: Connection, changes: Changes, directory: PurePosixPath) -> tuple[int, bool]:
        values = {"repo": self._repository.uuid, "path": _parent(directory), "name": directory.name}
        present = connection.execute(_FIND, values).fetchone()
        if present is not None:
            return int(present["id"]), False
        directory_id = next_id(connection, "originalfile")
        details = changes.details(owner_id=_ROOT, group_id=USER_GROUP)
        connection.execute(_INSERT, {"id": directory_id, **values, **details})
        changes.log("INSERT", "OriginalFile", [directory_id])
        return directory_id, True

    def _make(self, place: Path) -> bool:
        """Make a directory; whether it wasn't there."""
        if place.is_dir():
            return False
        try:
            place.mkdir(mode=_MODE)
            files.sync_directory(place.parent)
        except OSError as error:
            raise failed_error("directory-not-created", f"{place} can't be made: {error.strerror}") from error
        return True


def _parent(directory: PurePosixPath) -> str:
    return "/" if directory.parent == PurePosixPath() else f"{directory.parent}/"
