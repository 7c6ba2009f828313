"""The files of a snapshot beside the pool: copies of the configuration, and checksums of these and of the dump."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.backups.manifest import MANIFEST_NAME, Checksum, file_checksum
from omeroadmin.backups.scan import Root, walk
from omeroadmin.backups.target import PRIVATE
from omeroadmin.errors import failed_error
from omeroadmin.system import files
from omeroadmin.system.together import STORE

DATABASE = "database"
CONFIGURATION = "etc"
CLUSTER = "cluster"
"""Roles and settings of the PostgreSQL."""

_LEFT_OUT = frozenset({"config.xml.lock", STORE})
"""Rendered files are saved under their own names, which are links into the store."""


def copy_configuration(etc: Path, snapshot_directory: Path) -> int:
    """Copy ``etc/`` into a snapshot. All copies are private: passwords are among them.

    :return: number of files
    :raises AdminError: ``file-not-read``, ``file-not-written``, ``directory-not-created``
    """
    return copy_tree(Root(CONFIGURATION, etc, skip=_LEFT_OUT), snapshot_directory)


def copy_tree(root: Root, snapshot_directory: Path) -> int:
    """Copy a tree of small files into a snapshot, below the tree's name. All copies are private.

    :return: number of files
    :raises AdminError: ``file-not-read``, ``file-not-written``, ``directory-not-created``
    """
    count = 0
    for found in walk([root]):
        place = snapshot_directory / found.path
        if found.problem is not None:
            raise failed_error("file-not-read", f"{found.source} {found.problem}", f"check it: ls -ld {found.source}")
        if found.path.endswith("/"):
            files.make_directory(place, mode=PRIVATE)
        elif found.link is None and not found.path.endswith(".lock"):
            files.write_atomically(place, files.read_bytes(Path(found.source)), mode=files.SECRET_MODE)
            count += 1
    return count


def make_private(directory: Path) -> None:
    """Take everybody else's rights from a tree that another program wrote."""
    for path in [directory, *directory.rglob("*")]:
        path.chmod(PRIVATE if path.is_dir() else files.SECRET_MODE)


def part_checksums(snapshot_directory: Path) -> dict[str, Checksum]:
    """Size and BLAKE3 of each file of a snapshot but its manifest, by relative path.

    :raises AdminError: ``file-not-read``
    """
    paths = sorted(path for path in snapshot_directory.rglob("*") if path.is_file() and path.name != MANIFEST_NAME)
    return {path.relative_to(snapshot_directory).as_posix(): file_checksum(path) for path in paths}
