"""The list of a snapshot's files: JSON lines in byte order of the paths, compressed, with one checksum for all.

The order lets a run walk through the disk, the previous manifest and the database's rows side by side, so that
memory doesn't grow with the number of files.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from omeroadmin.errors import failed_error
from omeroadmin.system import files

MANIFEST_NAME = "manifest.jsonl.zst"
"""Name of the manifest in a snapshot's directory."""

_LEVEL = 1
_CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PLAIN_FILE = re.compile(
    rb'\{"path":"([ !#-\[\]-~]+)","mtime_ns":(-?(?:0|[1-9][0-9]{0,18})),"mode":(0|[1-9][0-9]{0,18})'
    rb',"size":(0|[1-9][0-9]{0,18}),"blake3":"([0-9a-f]{64})"(?:,"sha1":"([0-9a-f]*)")?\}\n?'
)
"""The line of a file as :func:`entry_line` writes it, if its path is plain ASCII."""
_encode = json.JSONEncoder(separators=(",", ":")).encode
_quote = json.encoder.encode_basestring_ascii


class Entry(NamedTuple):
    """One line of a manifest. A tuple, because half a million of them are made per run.

    :param path: root and relative path, ``data/Pixels/1``; directories end in a slash
    :param size: bytes of a file's content
    :param mtime_ns: modification time, nanoseconds since 1970
    :param mode: permission bits
    :param blake3: content's BLAKE3 in hexadecimal; empty for directories and links
    :param sha1: content's SHA-1 where OMERO records one
    :param link: target of a symbolic link that leads nowhere
    """

    path: str
    size: int
    mtime_ns: int
    mode: int
    blake3: str = ""
    sha1: str | None = None
    link: str | None = None

    @property
    def is_directory(self) -> bool:
        """Whether this is a directory."""
        return self.path.endswith("/")

    @property
    def is_file(self) -> bool:
        """Whether the pool holds a content for this."""
        return bool(self.blake3)


def sort_key(path: str) -> bytes:
    """What manifests are sorted by: the bytes of the path, as PostgreSQL's collation "C" sorts UTF-8."""
    return os.fsencode(path)


def entry_line(entry: Entry) -> bytes:
    """An entry as a line of JSON; names that aren't UTF-8 survive as escaped surrogates."""
    document: dict[str, Any] = {"path": entry.path, "mtime_ns": entry.mtime_ns, "mode": entry.mode}
    if entry.blake3:
        document.update(size=entry.size, blake3=entry.blake3)
    if entry.sha1 is not None:
        document["sha1"] = entry.sha1
    if entry.link is not None:
        document["link"] = entry.link
    return _encode(document).encode() + b"\n"


def unchanged_start(path: str, mtime_ns: int, mode: int, size: int) -> bytes:
    """How the line of a file begins that looks like this: up to its BLAKE3, which nobody knows who hasn't read it.

    Only for comparing with lines of :func:`entry_line`, a thousand times as often as anything is parsed.
    """
    start = f'{{"path":{_quote(path)},"mtime_ns":{mtime_ns},"mode":{mode},"size":{size},"blake3":"'
    return start.encode("ascii")


def parse_line(line: bytes | str) -> Entry:
    """The entry of a line.

    :raises AdminError: ``manifest-damaged``
    """
    match = _PLAIN_FILE.fullmatch(line) if isinstance(line, bytes) else None
    if match is not None:
        # Most lines, in half of the time that JSON takes.
        path, mtime_ns, mode, size, blake3, sha1 = match.groups()
        recorded = None if sha1 is None else sha1.decode()
        return Entry(path.decode(), int(size), int(mtime_ns), int(mode), blake3.decode(), recorded)
    return parse_document(line)


def parse_document(line: bytes | str) -> Entry:
    """The entry of a line, whichever way its JSON is written.

    :raises AdminError: ``manifest-damaged``
    """
    try:
        get = json.loads(line).get
        entry = Entry(
            get("path"), get("size", 0), get("mtime_ns"), get("mode"), get("blake3", ""), get("sha1"), get("link")
        )
    except (ValueError, AttributeError) as error:
        raise _damaged(f"line {line[:80]!r} is no JSON object") from error
    if not (isinstance(entry.path, str) and entry.path and isinstance(entry.size, int)):
        raise _damaged(f"line {line[:80]!r} has no path or size")
    if not (isinstance(entry.mtime_ns, int) and isinstance(entry.mode, int) and _hashes_are_valid(entry)):
        raise _damaged(f"{entry.path!r} has no time, mode or hash")
    return entry


def _hashes_are_valid(entry: Entry) -> bool:
    blake3, sha1, link = entry.blake3, entry.sha1, entry.link
    if not isinstance(blake3, str) or not (sha1 is None or isinstance(sha1, str)):
        return False
    return (not blake3 or _DIGEST.fullmatch(blake3) is not None) and (link is None or isinstance(link, str))


class Checksum(NamedTuple):
    """What a finished file is: its size and BLAKE3."""

    size: int
    blake3: str


def file_checksum(path: Path) -> Checksum:
    """Size and BLAKE3 of a file; a link is none, nor is what never ends, as a pipe.

    :raises AdminError: ``file-not-read``
    """
    from blake3 import blake3

    digest, size = blake3(), 0
    try:
        with files.open_regular(path) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise files.file_error("read", path, error) from error
    return Checksum(size, digest.hexdigest())


@contextlib.contextmanager
def line_writer(path: Path) -> Iterator[IO[bytes]]:
    """A compressed file of lines that is there only when the block ends without an exception."""
    import zstandard

    with (
        files.atomic_file(path, mode=files.SECRET_MODE) as stream,
        zstandard.ZstdCompressor(level=_LEVEL).stream_writer(stream, closefd=False) as compressed,
        io.BufferedWriter(compressed, _CHUNK) as writer,  # type: ignore[type-var]
    ):
        yield writer


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a compressed file.

    :raises AdminError: ``file-not-read``, ``manifest-damaged``
    """
    import zstandard

    try:
        with (
            path.open("rb") as stream,
            zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True) as raw,
            io.BufferedReader(raw, _CHUNK) as reader,
        ):
            yield from reader
    except zstandard.ZstdError as error:
        raise _damaged(f"{path} can't be decompressed: {error}") from error
    except OSError as error:
        raise files.file_error("read", path, error) from error


def write_manifest(path: Path, entries: Iterable[Entry | bytes]) -> int:
    """Write a manifest in one step.

    :param entries: in order; lines of another manifest as they are
    :return: number of lines
    :raises AdminError: ``file-not-written``
    """
    count = 0
    with line_writer(path) as writer:
        for entry in entries:
            writer.write(entry if isinstance(entry, bytes) else entry_line(entry))
            count += 1
    return count


def read_manifest(path: Path) -> Iterator[Entry]:
    """The entries of a manifest, in their order.

    :raises AdminError: ``file-not-read``, ``manifest-damaged`` where a line is none or out of order
    """
    last = b""
    for line in read_lines(path):
        entry = parse_line(line)
        try:
            key = sort_key(entry.path)
        except UnicodeEncodeError as error:
            raise _damaged(f"{path}: {entry.path!r} can't be the name of a file") from error
        if key <= last:
            raise _damaged(f"{path}: {entry.path!r} is out of order")
        last = key
        yield entry


def _damaged(message: str) -> Exception:
    return failed_error("manifest-damaged", message, "use another snapshot: omero backup list")
