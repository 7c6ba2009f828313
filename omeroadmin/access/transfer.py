"""Sends one file to the server as a fileset: one pass over its bytes, hashed on the way, compared at the end."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from omeroadmin.access.client import AGENT, Client
from omeroadmin.access.problems import not_understood
from omeroadmin.access.walk import Candidate
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system.files import file_error

_PIECE = 1 << 20
_COMPLETE_TIMEOUT = 900.0
_MOST_PATHS = 500


class Hasher(Protocol):
    """A checksum under way."""

    def update(self, data: bytes, /) -> object:
        """Take the next bytes."""
        ...

    def hexdigest(self) -> str:
        """Checksum of all bytes so far, in hex."""
        ...


@dataclass(frozen=True)
class Checksums:
    """The checksum algorithms that this side has.

    :param names: OMERO's names, best first
    :param start: begins a checksum by name
    """

    names: Sequence[str]
    start: Callable[[str], Hasher]


@dataclass(frozen=True)
class ImportedImage:
    """An image that an import made."""

    id: int
    name: str


@dataclass(frozen=True)
class Imported:
    """A file that is on the server now.

    :param path: where it was read from
    :param size: bytes
    :param algorithm: OMERO's name of the checksum algorithm
    :param hash: checksum that both sides found
    """

    path: Path
    size: int
    algorithm: str
    hash: str
    fileset_id: int
    images: tuple[ImportedImage, ...]


def import_file(
    client: Client, file: Candidate, checksums: Checksums, *, name: str | None, progress: Callable[[int], object]
) -> Imported:
    """Upload a file and have the server make images of it; if that fails, nothing of it stays there.

    :param name: name for the image instead of the file's
    :param progress: called with the number of bytes of each piece sent
    :raises AdminError: ``file-not-read``, ``file-changed``, ``checksum-mismatch``, ``unreadable-image`` and what
        :meth:`Client.get` raises
    """
    offer = {
        "files": [{"client_path": str(file.path), "size": file.size}],
        "checksum_algorithms": list(checksums.names),
        "agent": AGENT,
    }
    answer = client.post("/imports", offer)
    try:
        import_id, algorithm = _identifier(answer["import_id"]), str(answer["checksum_algorithm"])
        index = int(answer["files"][0]["index"])
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise not_understood(client.address, "its import has not the fields that were expected") from error
    done = False
    try:
        hasher = checksums.start(algorithm)
        stored = client.upload(f"/imports/{import_id}/files/{index}", _pieces(file, hasher, progress), file.size)
        own_hash = hasher.hexdigest()
        _compare(file, own_hash, stored)
        result = client.post(
            f"/imports/{import_id}/complete", {"hashes": [own_hash], "name": name}, timeout=_COMPLETE_TIMEOUT
        )
        done = True
    finally:
        if not done:
            # What went wrong is what the user needs to read; the server clears away imports that nobody ends.
            with contextlib.suppress(AdminError):
                client.delete(f"/imports/{import_id}")
    return _imported(client, file, algorithm, own_hash, result)


def known_paths(client: Client, files: Sequence[Candidate]) -> set[Path]:
    """Those files whose paths the server knows from earlier imports.

    :raises AdminError: what :meth:`Client.get` raises
    """
    known: set[Path] = set()
    for start in range(0, len(files), _MOST_PATHS):
        paths = [str(file.path) for file in files[start : start + _MOST_PATHS]]
        answer = client.post("/filesets/client-paths", {"paths": paths})
        known.update(Path(str(item.get("path"))) for item in client.items(answer, "known"))
    return known


class KeepAlive:
    """Keeps a session from idling out while one long request is under way.

    :param client: a client of its own, for use by the thread only
    :param seconds: between two signs of life; 0: the session doesn't idle out
    """

    def __init__(self, client: Client, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keepalive", daemon=True)

    def __enter__(self) -> Self:
        if self._seconds > 0:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        with self._client:
            while not self._over.wait(self._seconds):
                # The transfer itself meets the same trouble and reports it.
                with contextlib.suppress(AdminError):
                    self._client.post("/sessions/current/keepalive")


def _pieces(file: Candidate, hasher: Hasher, progress: Callable[[int], object]) -> Iterator[bytes]:
    left = file.size
    try:
        with file.path.open("rb", buffering=0) as stream:
            while left and (piece := stream.read(min(_PIECE, left))):
                hasher.update(piece)
                yield piece
                left -= len(piece)
                progress(len(piece))
            changed = bool(left or stream.read(1))
    except OSError as error:
        raise file_error("read", file.path, error) from error
    if changed:
        raise failed_error(
            "file-changed",
            f"it had {file.size} bytes when the import began and has another size now",
            "import it again",
        )


def _compare(file: Candidate, own_hash: str, stored: Any) -> None:
    if not isinstance(stored, dict) or stored.get("size") != file.size or str(stored.get("hash")).lower() != own_hash:
        raise failed_error(
            "checksum-mismatch", f"the server stored other bytes than the {file.size} that were sent", "import it again"
        )


def _imported(client: Client, file: Candidate, algorithm: str, own_hash: str, result: Any) -> Imported:
    try:
        images = tuple(ImportedImage(int(image["id"]), str(image["name"])) for image in result["images"])
        return Imported(file.path, file.size, algorithm, own_hash, int(result["fileset_id"]), images)
    except (KeyError, TypeError, ValueError) as error:
        raise not_understood(client.address, "its fileset has not the fields that were expected") from error


def _identifier(value: Any) -> str:
    """An import's id as a part of a path."""
    text = str(value)
    if not text.replace("-", "").isalnum() or not text.isascii():
        raise ValueError(text)
    return text
