"""The full-text index as files: whether they are what was written, who holds it, and its end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.errors import locked_error
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files

NAME = "FullText"
"""Directory of the index below the data directory."""
META = "meta.json"
"""What the index consists of; without it the directory counts as empty."""
_MANAGED = ".managed.json"
_WRITER_LOCK = ".tantivy-writer.lock"
_LUCENE_LOCK = "write.lock"
_PARTS = ("idx", "pos", "term", "store", "fast", "fieldnorm")
_MAGIC = (1337).to_bytes(4, "little")
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class IndexFacts:
    """What there is of an index.

    :param exists: whether there is one
    :param documents: that can be found
    :param segments: parts that it consists of
    :param size: bytes
    :param problems: what is wrong with it, a line each
    :param is_read: whether all files were read and compared with their checksums
    """

    exists: bool
    documents: int = 0
    segments: int = 0
    size: int = 0
    problems: tuple[str, ...] = ()
    is_read: bool = False


def index_directory(settings: Settings) -> Path:
    """Where the index is.

    :raises AdminError: ``setting-invalid``
    """
    return settings.data_directory / NAME


def inspect_index(
    directory: Path, *, most_bytes: int | None = None, is_cancelled: Callable[[], bool] = lambda: False
) -> IndexFacts:
    """Compare the files of an index with what its own list and their checksums say; a running Indexer doesn't mind.

    An index of Java's server, whose format is another, is only measured.

    :param most_bytes: a larger index isn't read, only its files are counted
    """
    facts = _inspect(directory, most_bytes, is_cancelled)
    # Segments are merged while they are read: only what is still missing at a second look is.
    return _inspect(directory, most_bytes, is_cancelled) if facts.problems else facts


def _inspect(directory: Path, most_bytes: int | None, is_cancelled: Callable[[], bool]) -> IndexFacts:
    try:
        size = sum(entry.stat().st_size for entry in os.scandir(directory) if entry.is_file(follow_symlinks=False))
    except FileNotFoundError:
        return IndexFacts(exists=False)
    except OSError as error:
        return IndexFacts(exists=True, problems=(f"{directory} can't be read: {error.strerror}",))
    meta = directory / META
    try:
        document = json.loads(meta.read_bytes())
        segments = [_segment(item) for item in document["segments"]]
    except FileNotFoundError:
        return IndexFacts(exists=any(directory.glob("segments_*")), size=size)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return IndexFacts(exists=True, size=size, problems=(f"{META} can't be understood: {error}",))
    reads = most_bytes is None or size <= most_bytes
    problems: list[str] = []
    for names, _ in segments:
        for name in names:
            problem = None if is_cancelled() else _problem(directory / name, reads=reads)
            if problem is not None:
                problems.append(f"{name} {problem}")
    documents = sum(count for _, count in segments)
    return IndexFacts(True, documents, len(segments), size, tuple(problems), reads and not is_cancelled())


def _segment(item: dict[str, Any]) -> tuple[list[str], int]:
    """File names of a segment and how many of its documents are left."""
    stem = str(item["segment_id"]).replace("-", "")
    names = [f"{stem}.{part}" for part in _PARTS]
    deletes = item.get("deletes")
    if deletes is None:
        return names, int(item["max_doc"])
    return [*names, f"{stem}.{int(deletes['opstamp'])}.del"], int(item["max_doc"]) - int(deletes["num_deleted_docs"])


def _problem(path: Path, *, reads: bool) -> str | None:
    """What is wrong with a file: its end holds the CRC-32 of what is before, as JSON, its length and a magic number."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - 8))
            tail = stream.read()
            length = int.from_bytes(tail[:4], "little")
            if len(tail) < 8 or tail[4:] != _MAGIC or length > size - 8:
                return "is cut off"
            stream.seek(size - 8 - length)
            wanted = json.loads(stream.read(length))["crc"]
            return None if not reads or _checksum(stream, size - 8 - length) == wanted else "isn't what was written"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"can't be read: {error.strerror}"
    except (ValueError, KeyError, TypeError):
        return "isn't what was written"


def _checksum(stream: Any, size: int) -> int:
    stream.seek(0)
    value = 0
    while size > 0:
        chunk = stream.read(min(_CHUNK, size))
        if not chunk:
            break
        value = zlib.crc32(chunk, value)
        size -= len(chunk)
    return value


@contextlib.contextmanager
def index_held(directory: Path) -> Iterator[None]:
    """Keep every indexer out for the length of the block.

    :raises AdminError: ``index-in-use`` where one has it open, ``file-not-written``
    """
    with contextlib.ExitStack() as stack:
        for name, lock in ((_WRITER_LOCK, fcntl.flock), (_LUCENE_LOCK, fcntl.lockf)):
            path = directory / name
            if name == _LUCENE_LOCK and not path.exists():
                continue
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                raise files.file_error("written", path, error) from error
            stack.callback(os.close, descriptor)
            try:
                lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise locked_error(
                    "index-in-use", f"an indexer has {directory} open", "stop it: omero admin reindex --prepare"
                ) from error
        yield


def index_files(directory: Path) -> list[Path]:
    """Files of an index in the order in which they are to be removed: after the first it counts as none.

    :raises AdminError: ``file-not-read``
    """
    try:
        names = [entry.name for entry in os.scandir(directory) if not entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise files.file_error("read", directory, error) from error
    locks = (_WRITER_LOCK, _LUCENE_LOCK)
    first = [name for name in names if name == META or name.startswith("segments")]
    last = [name for name in names if name == _MANAGED]
    rest = [name for name in names if name not in first and name not in last and name not in locks]
    return [directory / name for name in (*first, *sorted(rest), *last)]


def wipe_index(directory: Path) -> tuple[int, int]:
    """Remove an index; a run that was killed leaves one that counts as none, and the next one removes the rest.

    :return: files and bytes
    :raises AdminError: ``index-in-use``, ``file-not-read``, ``file-not-written``
    """
    if not directory.is_dir():
        return 0, 0
    count = size = 0
    with index_held(directory):
        for path in index_files(directory):
            try:
                size += path.lstat().st_size
                path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise files.file_error("written", path, error) from error
            count += 1
        with contextlib.suppress(OSError):
            files.sync_directory(directory)
    return count, size
