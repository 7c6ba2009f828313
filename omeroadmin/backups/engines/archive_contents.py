"""Contents of files out of the archive of another program: one stream past all that is wanted."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from omeroadmin.backups.engines.archiver import Archive, Archiver
from omeroadmin.backups.engines.engine import Content
from omeroadmin.backups.engines.places import Places
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.manifest import Checksum, Entry
from omeroadmin.backups.verify import Read, difference
from omeroadmin.errors import AdminError

_CHUNK = 1 << 20
_PATIENCE = 20
"""Files asked for one by one without success, after which the rest is given up."""


class _Single(NamedTuple):
    archiver: Archiver
    archive: Archive
    masters: dict[str, str]


def contents_of(archiver: Archiver, archive: Archive, places: Places, where: str) -> Iterator[Content]:
    """The contents of all files in ``places``.

    What the stream doesn't bring, because it breaks or has a second name for a file only, is asked for by itself.

    :param where: of the archive, for messages
    """
    masters: dict[str, str] = {}
    broken = ""
    try:
        with archiver.tar(archive) as stream, tarfile.open(fileobj=stream, mode="r|", bufsize=_CHUNK) as members:
            while (member := members.next()) is not None:
                if member.islnk():
                    masters[member.name] = member.linkname
                elif member.isreg():
                    yield from _member(members, member, places, where)
                # Or it would keep each of them.
                members.members = []  # type: ignore[attr-defined]
    except (AdminError, tarfile.TarError, EOFError, OSError) as error:
        broken = error.message if isinstance(error, AdminError) else str(error)
    yield from _one_by_one(_Single(archiver, archive, masters), places, where, broken)


def _member(members: tarfile.TarFile, member: tarfile.TarInfo, places: Places, where: str) -> Iterator[Content]:
    wanted = places.take(member.name)
    stream = members.extractfile(member) if wanted else None
    if stream is None:
        return
    place = f"{where}: /{member.name.lstrip('/')}"
    if len(wanted) == 1:
        yield Content(wanted[0], _chunks(stream), place)
        return
    # Links to one file are several files in the manifest.
    with tempfile.TemporaryFile() as aside:
        aside.writelines(_chunks(stream))
        for entry in wanted:
            aside.seek(0)
            yield Content(entry, _chunks(aside), place)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a member; where the archive breaks in the middle of it, what there is."""
    try:
        while chunk := stream.read(_CHUNK):
            yield chunk
    except (tarfile.TarError, EOFError):
        return


def _one_by_one(single: _Single, places: Places, where: str, broken: str) -> Iterator[Content]:
    failures = 0
    for name, entries in places.remaining():
        place, content = f"{where}: {name}", None
        message = broken or "its content is missing"
        if failures < _PATIENCE:
            path = name.lstrip("/")
            try:
                content = single.archiver.content(single.archive, single.masters.get(path, path))
            except AdminError as error:
                failures, message = failures + 1, error.message
        for entry in entries:
            if content is None:
                yield Content(entry, None, place, Fault("content-missing", entry.path, message, place))
            else:
                yield Content(entry, iter((content,)), place)


def checked(contents: Iterator[Content], read: Read) -> Iterator[Fault]:
    """Faults of contents: each is hashed.

    :param read: counted up
    """
    for content in contents:
        entry = content.entry
        read.files += 1
        read.size += entry.size
        fault = content.fault if content.chunks is None else _difference(entry, content.chunks, content.place)
        if fault is not None:
            yield fault


def _difference(entry: Entry, chunks: Iterator[bytes], place: str) -> Fault | None:
    from blake3 import blake3

    digest, size = blake3(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
    found = Checksum(size, digest.hexdigest())
    return difference("content", entry.path, place, Checksum(entry.size, entry.blake3), found)
