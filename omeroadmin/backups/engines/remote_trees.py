"""Whole directories to another host and back."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from pathlib import Path

from omeroadmin.backups.engines.remote_files import RemoteFiles
from omeroadmin.errors import failed_error
from omeroadmin.system import files

_CHUNK = 1 << 20
_DIRECTORY_MODE = 0o700


def send_tree(remote: RemoteFiles, directory: Path, place: str) -> None:
    """Send all files of a directory.

    :raises AdminError: ``backup-not-written``, ``file-not-read`` and those of the connection
    """
    remote.make_directory(place)
    for path in sorted(directory.rglob("*")):
        there = posixpath.join(place, path.relative_to(directory).as_posix())
        if path.is_dir():
            remote.make_directory(there)
        else:
            remote.create(there, _local_chunks(path))


def fetch_tree(remote: RemoteFiles, place: str, directory: Path, only: Collection[str] = ()) -> None:
    """Fetch all files of a directory of another host.

    :param directory: exists and is empty
    :param only: names at its top, where not all of them are needed
    :raises AdminError: ``path-escapes``, ``file-not-read``, ``file-not-written`` and those of the connection
    """
    for item in remote.list(place):
        if only and item.name not in only:
            continue
        if item.name in ("", ".", "..") or "/" in item.name or "\0" in item.name:
            raise failed_error("path-escapes", f"{remote.shown(place)} lists {item.name!r}, which is no name")
        here, there = directory / item.name, posixpath.join(place, item.name)
        if item.is_directory:
            files.make_directory(here, mode=_DIRECTORY_MODE)
            fetch_tree(remote, there, here)
        else:
            with files.atomic_file(here, mode=files.SECRET_MODE) as stream:
                for chunk in remote.chunks(there):
                    stream.write(chunk)


def _local_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
