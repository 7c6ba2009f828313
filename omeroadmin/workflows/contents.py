"""Brings files to a server as they are, and gets files from it: ``omero upload`` and ``omero download``."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.access import content
from omeroadmin.access.client import Client
from omeroadmin.access.content import RemoteFile, read_file
from omeroadmin.errors import AdminError, configuration_error, failed_error, usage_error
from omeroadmin.repository.checksums import ALGORITHMS, hash_file, new_hasher
from omeroadmin.system import files
from omeroadmin.workflows.objects import Named, parse_object

_UNKNOWN = "type/unknown"
"""OMERO's mimetype for what isn't known."""


@dataclass(frozen=True)
class Downloaded:
    """A file that is on this machine now.

    :param present: whether it was there before, with the same content
    """

    path: Path
    file: RemoteFile
    present: bool = False


def parse_download(text: str) -> Named:
    """What to get: ``Image:5``; a number alone is that of an OriginalFile.

    :raises AdminError: ``object-invalid``
    """
    named = parse_object(f"OriginalFile:{text}" if text.isascii() and text.isdigit() else text)
    known = {name.lower(): name for name in ("OriginalFile", "FileAnnotation", "Image", "Fileset")}
    if named.type.lower() not in known:
        raise usage_error(
            "object-invalid", f"{text[:80]} has no files", "name an OriginalFile, FileAnnotation, Image or Fileset"
        )
    return Named(known[named.type.lower()], named.id)


def upload(client: Client, paths: Sequence[Path], mimetype: str = "") -> Iterator[RemoteFile]:
    """Upload files, one after the other.

    :param mimetype: of all; empty: as their names say
    :raises AdminError: ``path-missing`` before anything is sent, and what :func:`content.upload` raises
    """
    for path in paths:
        if path.is_dir():
            raise usage_error("path-missing", f"{path} is a folder", "nothing was uploaded; name the files in it")
        if not path.is_file():
            raise usage_error("path-missing", f"no such file: {path}", "nothing was uploaded; check the path")
        if not os.access(path, os.R_OK):
            raise configuration_error("file-not-read", f"{path} can't be read", f"check it: ls -l {path}")
    for path in paths:
        kind = mimetype or mimetypes.guess_type(path.name)[0] or _UNKNOWN
        yield content.upload(client, path, kind, new_hasher)


def download(client: Client, named: Named, target: Path, *, force: bool = False) -> Iterator[Downloaded]:
    """Get the files of an object; each takes its place when it is whole and its checksum right.

    :param target: file; of an Image or Fileset the directory in which ``Fileset_ID`` is made
    :param force: whether files that are there are replaced
    :raises AdminError: ``file-exists``, ``no-files``, ``checksum-mismatch``, ``file-not-written``, ``path-escapes`` and
        what :meth:`Client.get` raises
    """
    if named.type in ("OriginalFile", "FileAnnotation"):
        file = _single(client, named)
        # A name from the server is no path.
        place = files.inside(target, file.name.replace("/", "_")) if target.is_dir() else target
        yield save(client, file, place, force)
        return
    fileset_id, prefix, found = _fileset(client, named)
    root = target / f"Fileset_{fileset_id}"
    for file in found:
        place = files.inside(root, f"{file.path.removeprefix(prefix)}/{file.name}".lstrip("/"))
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise files.file_error("written", place.parent, error) from error
        yield save(client, file, place, force)


def stream(client: Client, named: Named, sink: Callable[[bytes], object]) -> RemoteFile:
    """Get the one file of an object piece by piece; its checksum is compared at the end.

    :raises AdminError: ``several-files``, and as :func:`download`
    """
    if named.type in ("OriginalFile", "FileAnnotation"):
        file = _single(client, named)
    else:
        _, _, found = _fileset(client, named)
        if len(found) != 1:
            raise failed_error("several-files", f"{named} has {len(found)} files", "name a directory to save them in")
        file = found[0]
    content.download(client, file, sink, new_hasher)
    return file


def save(client: Client, file: RemoteFile, place: Path, force: bool = False) -> Downloaded:
    """Save one file; it takes its place when it is whole and its checksum right.

    :raises AdminError: ``file-exists``, ``checksum-mismatch``, ``file-not-written`` and what :meth:`Client.get` raises
    """
    if place.exists() and not force:
        if _is_same(file, place):
            return Downloaded(place, file, present=True)
        raise failed_error("file-exists", f"{place} is there already", "name another place, or replace it with --force")
    with files.atomic_file(place, mode=None if place.exists() else content.usual_mode()) as stream:
        content.download(client, file, stream.write, new_hasher)
    return Downloaded(place, file)


def _is_same(file: RemoteFile, place: Path) -> bool:
    try:
        return (
            place.is_file()
            and file.hasher in ALGORITHMS
            and place.stat().st_size == file.size
            and hash_file(place, file.hasher) == file.hash
        )
    except (OSError, AdminError):
        return False


def _single(client: Client, named: Named) -> RemoteFile:
    file_id = named.id
    if named.type == "FileAnnotation":
        refers = client.get(named.path)["fields"].get("file")
        if refers is None:
            raise failed_error("no-files", f"{named} has no file")
        file_id = parse_object(str(refers)).id
    return read_file(client, client.get(f"/files/{file_id}"))


def _fileset(client: Client, named: Named) -> tuple[int, str, list[RemoteFile]]:
    """Id, directory on the server and files of a fileset, or of that of an image."""
    fileset_id: int | None = named.id
    if named.type == "Image":
        fileset_id = client.get(f"/images/{named.id}").get("fileset_id")
    if fileset_id is None:
        raise failed_error("no-files", f"{named} has no fileset, so there are no files that it came from")
    answer = client.get(f"/filesets/{fileset_id}/files")
    found = [read_file(client, item) for item in client.items(answer, "files")]
    return fileset_id, str(answer["prefix"]), found


def fileset_files(client: Client, named: Named) -> list[RemoteFile]:
    """The files of a fileset, or of that of an image.

    :raises AdminError: ``no-files``, ``not-found`` and what :meth:`Client.get` raises
    """
    return _fileset(client, named)[2]
