"""Unpacks archives so that nothing of them can be anywhere but in the directory that they are unpacked into.

Links are made when everything else is there, so that no file is written through one.
"""

from __future__ import annotations

import contextlib
import lzma
import os
import posixpath
import shutil
import stat
import tarfile
import zipfile
import zlib
from typing import IO, Iterator, NamedTuple

from omeroadmin.provisioning.agent.change import HostError

_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, RuntimeError)
"""What the standard library raises for archives that it can't read; encrypted ones are a RuntimeError."""


class _Member(NamedTuple):
    name: str
    kind: str
    """``file``, ``directory``, ``link``, ``same`` (a hard link) or ``other``."""
    mode: int
    target: str
    stream: IO[bytes] | None


def unpack(archive: str, directory: str, strip: int, name: str) -> None:
    """Unpack a zip or tar archive.

    :param directory: an existing, empty directory
    :param strip: leading directories that are left out; members with no more than those are, too
    :param name: the archive, for messages
    :raises HostError: ``host-archive-damaged``, ``host-archive-unsafe``
    :raises OSError: as the system says
    """
    links: list[tuple[str, str]] = []
    same: list[tuple[str, str]] = []
    try:
        with open(archive, "rb") as stream:
            is_zip = stream.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
        for member in _zip_members(archive) if is_zip else _tar_members(archive):
            inside = _inside(member.name, strip, name)
            if inside is None:
                continue
            path = os.path.join(directory, inside)
            if member.kind == "directory":
                os.makedirs(path, exist_ok=True)
                os.chmod(path, member.mode & 0o755 | 0o700)
            elif member.kind == "file" and member.stream is not None:
                _write(path, member.stream, member.mode)
            elif member.kind == "link":
                links.append((path, member.target))
            elif member.kind == "same":
                source = _inside(member.target, strip, name)
                same.append((path, os.path.join(directory, source or ".")))
            else:
                raise _unsafe(name, member.name, "is neither file, directory nor link")
        _link(directory, links, same, name)
    except _DAMAGED as error:
        why = (str(error).splitlines() or ["it ends too early"])[0]
        raise HostError("host-archive-damaged", f"{name} can't be unpacked: {why}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise HostError("host-archive-damaged", f"{name} has a path twice, as different things") from error


def _zip_members(archive: str) -> Iterator[_Member]:
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            unix = entry.external_attr >> 16
            mode = stat.S_IMODE(unix) or (0o755 if entry.is_dir() else 0o644)
            if entry.is_dir():
                yield _Member(entry.filename, "directory", mode, "", None)
            elif stat.S_ISLNK(unix):
                yield _Member(entry.filename, "link", mode, os.fsdecode(opened.read(entry)), None)
            elif stat.S_IFMT(unix) not in (0, stat.S_IFREG):
                yield _Member(entry.filename, "other", mode, "", None)
            else:
                with opened.open(entry) as stream:
                    yield _Member(entry.filename, "file", mode, "", stream)


def _tar_members(archive: str) -> Iterator[_Member]:
    with tarfile.open(archive, "r:*") as opened:
        for entry in opened:
            if entry.isdir():
                yield _Member(entry.name, "directory", entry.mode, "", None)
            elif entry.issym():
                yield _Member(entry.name, "link", entry.mode, entry.linkname, None)
            elif entry.islnk():
                yield _Member(entry.name, "same", entry.mode, entry.linkname, None)
            elif entry.isfile():
                yield _Member(entry.name, "file", entry.mode, "", opened.extractfile(entry))
            else:
                yield _Member(entry.name, "other", entry.mode, "", None)


def _inside(member: str, strip: int, name: str) -> str | None:
    """Relative path of a member; ``None`` where nothing is left of it.

    :raises HostError: ``host-archive-unsafe``
    """
    parts = [part for part in member.split("/") if part not in ("", ".")]
    if member.startswith("/") or ".." in parts or "\0" in member:
        raise _unsafe(name, member, "leads out of its directory")
    return "/".join(parts[strip:]) or None


def _write(path: str, content: IO[bytes], mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        shutil.copyfileobj(content, stream, 1 << 20)
        # No setuid, nothing that others may write.
        os.fchmod(stream.fileno(), mode & 0o755 | 0o600)


def _link(directory: str, links: list[tuple[str, str]], same: list[tuple[str, str]], name: str) -> None:
    for path, source in same:
        if not os.path.isfile(source):
            raise HostError("host-archive-damaged", f"{name} has a hard link to a file that it doesn't have")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        os.link(source, path)
    for path, _ in links:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    for path, target in links:
        if posixpath.isabs(target) or not target or "\0" in target:
            raise _unsafe(name, os.path.relpath(path, directory), "points out of its directory")
        if not os.path.isdir(path) or os.path.islink(path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        os.symlink(target, path)
    root = os.path.realpath(directory)
    for path, _ in links:
        if os.path.commonpath([root, os.path.realpath(path)]) != root:
            raise _unsafe(name, os.path.relpath(path, directory), "points out of its directory")


def _unsafe(name: str, member: str, why: str) -> HostError:
    shown = member.encode("ascii", "backslashreplace").decode()
    return HostError("host-archive-unsafe", f"{name} isn't unpacked: {shown} {why}", "don't use it before you know why")
