"""Brings the files of a fileset to the server: one pass over their bytes, hashed on the way, compared at the end."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from omeroadmin.access.client import AGENT, Client
from omeroadmin.access.placing import is_read, place, read_through
from omeroadmin.access.problems import not_understood
from omeroadmin.access.walk import Candidate
from omeroadmin.errors import AdminError, failed_error, unreachable_error
from omeroadmin.schema.transfers import Transfer
from omeroadmin.system.files import file_error

_PIECE = 1 << 20
_LONG_TIMEOUT = 900.0
_SECONDS_TO_RETURN = 30.0
_SIZE_ONLY = "File-Size-64"


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
class Comment:
    """A comment for each image.

    :param namespace: empty: none
    """

    namespace: str
    text: str


@dataclass(frozen=True)
class Order:
    """What is to be done with a fileset.

    :param name: for the images instead of their own
    :param target: type and id of the container
    :param annotation_ids: annotations on the server that are linked to each image
    :param skip: what the server needn't make: ``minmax``, ``thumbnails``
    :param uploads: files on the way at once
    """

    name: str | None = None
    description: str | None = None
    transfer: Transfer = Transfer.UPLOAD
    target: tuple[str, int] | None = None
    comments: tuple[Comment, ...] = ()
    annotation_ids: tuple[int, ...] = ()
    skip: tuple[str, ...] = ()
    uploads: int = 1

    def wishes(self) -> dict[str, Any]:
        """What the server is told when all files are there."""
        return {
            "name": self.name,
            "description": self.description,
            "target": None if self.target is None else {"type": self.target[0], "id": self.target[1]},
            "annotations": [{"namespace": comment.namespace, "text": comment.text} for comment in self.comments],
            # Servers that don't know of it yet take imports without it.
            **({"annotation_ids": list(self.annotation_ids)} if self.annotation_ids else {}),
            "skip": list(self.skip),
        }


@dataclass(frozen=True)
class ImportedImage:
    """An image that an import made.

    :param pixels_id: ``None`` where the server doesn't say
    """

    id: int
    name: str
    pixels_id: int | None = None


@dataclass(frozen=True)
class ImportedFile:
    """A file that is on the server now.

    :param path: where it was read from
    :param size: bytes
    :param hash: checksum that both sides found
    """

    path: Path
    size: int
    hash: str


@dataclass(frozen=True)
class Imported:
    """A fileset that is on the server now.

    :param files: the first gives it its name
    :param algorithm: OMERO's name of the checksum algorithm
    :param plates: ids of plates that it holds
    :param kept: files that should have been removed from here and were not, and why
    """

    files: tuple[ImportedFile, ...]
    algorithm: str
    fileset_id: int
    images: tuple[ImportedImage, ...]
    plates: tuple[int, ...] = ()
    target: tuple[str, int] | None = None
    kept: tuple[tuple[Path, str], ...] = ()

    @property
    def path(self) -> Path:
        """The first file."""
        return self.files[0].path

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


Progress = Callable[[Candidate, int], object]


def import_fileset(
    client: Client, files: Sequence[Candidate], checksums: Checksums, order: Order, progress: Progress
) -> Imported:
    """Bring files to the server and have it make images of them; if that fails, nothing of it stays there.

    :param files: the first gives the fileset its name
    :param progress: called with the file and the number of bytes of each piece
    :raises AdminError: ``file-not-read``, ``file-changed``, ``file-not-placed``, ``checksum-mismatch``,
        ``import-lost``, ``unreadable-image`` and what :meth:`Client.get` raises
    """
    before = [_state(file.path) for file in files]
    transport = _begin(client, files, checksums, order, progress)
    done = False
    try:
        hashes = transport.bring_all(client)
        document = {"hashes": hashes, **order.wishes()}
        result = _still_known(lambda: client.post(f"{transport.base}/complete", document, timeout=_LONG_TIMEOUT))
        done = True
    finally:
        if not done:
            # What went wrong is what the user needs to read; the server clears away imports that nobody ends.
            with contextlib.suppress(AdminError):
                client.delete(transport.base)
    stored = tuple(ImportedFile(file.path, file.size, digest) for file, digest in zip(files, hashes, strict=True))
    kept = tuple(_remove(files, before)) if order.transfer.removes_source else ()
    return _imported(client, stored, transport.algorithm, order, result, kept)


@dataclass(frozen=True)
class _Transport:
    """An import that the server has begun.

    :param base: path of the import in the API
    :param places: of the files on the server's disk, where the client puts them there
    """

    base: str
    algorithm: str
    indexes: tuple[int, ...]
    places: tuple[Path, ...]
    files: Sequence[Candidate]
    checksums: Checksums
    order: Order
    progress: Progress

    def bring_all(self, client: Client) -> list[str]:
        """Bring all files, some at once.

        :return: their checksums
        """
        if self.order.uploads < 2 or len(self.files) < 2:
            return [self._bring(client, number) for number in range(len(self.files))]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(self.order.uploads, len(self.files))) as pool:
            running = [pool.submit(self._bring_alone, client, number) for number in range(len(self.files))]
            try:
                return [future.result() for future in running]
            finally:
                for future in running:
                    future.cancel()

    def _bring_alone(self, client: Client, number: int) -> str:
        with client.again() as other:
            return self._bring(other, number)

    def _bring(self, client: Client, number: int) -> str:
        file, path = self.files[number], f"{self.base}/files/{self.indexes[number]}"
        hasher = self.checksums.start(self.algorithm)

        def progress(count: int) -> None:
            self.progress(file, count)

        if self.order.transfer.is_in_place:
            take = (lambda _: None) if self.algorithm == _SIZE_ONLY else hasher.update
            place(self.order.transfer, file, self.places[number], take, progress)
            if self.algorithm == _SIZE_ONLY:
                progress(file.size)
            elif not is_read(self.order.transfer):
                read_through(file.path, hasher.update, progress)
            stored = _still_known(lambda: client.post(f"{path}/placed", timeout=_LONG_TIMEOUT))
        else:
            stored = _still_known(lambda: client.upload(path, pieces(file, hasher, progress), file.size))
        # Of links nothing is read where the size is all that counts.
        own_hash = f"{file.size:016x}" if self.algorithm == _SIZE_ONLY else hasher.hexdigest()
        _compare(file, own_hash, stored)
        return own_hash


def _begin(
    client: Client, files: Sequence[Candidate], checksums: Checksums, order: Order, progress: Progress
) -> _Transport:
    offer = {
        "files": [{"client_path": str(file.path), "size": file.size} for file in files],
        "checksum_algorithms": list(checksums.names),
        "transfer": order.transfer.value,
        "agent": AGENT,
    }
    answer = _when_it_is_back(lambda: client.post("/imports", offer))
    try:
        return _Transport(
            f"/imports/{_identifier(answer['import_id'])}",
            str(answer["checksum_algorithm"]),
            tuple(int(answer["files"][number]["index"]) for number in range(len(files))),
            tuple(Path(file["place"]) for file in answer["files"]) if order.transfer.is_in_place else (),
            files,
            checksums,
            order,
            progress,
        )
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise not_understood(client.address, "its import has not the fields that were expected") from error


def _when_it_is_back(ask: Callable[[], Any]) -> Any:
    """Ask again while Blitz is being started: nothing was begun, so nothing can happen twice."""
    deadline = time.monotonic() + _SECONDS_TO_RETURN
    pause = threading.Event()
    while True:
        try:
            return ask()
        except AdminError as error:
            if error.code != "blitz-unavailable":
                raise
            if time.monotonic() > deadline:
                raise unreachable_error("server-unreachable", error.message, error.hint) from error
        pause.wait(0.5)


def _still_known(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except AdminError as error:
        if error.code != "not-found":
            raise
        raise failed_error(
            "import-lost", "the server was restarted and knows nothing of this import any more", "import it again"
        ) from error


def pieces(file: Candidate, hasher: Hasher, progress: Callable[[int], object]) -> Iterator[bytes]:
    """A file's bytes, hashed while they are read.

    :param progress: called with the number of bytes of each piece
    :raises AdminError: ``file-not-read``, ``file-changed`` if it isn't of its size any more
    """
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


def _state(path: Path) -> tuple[int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return (0, 0, 0)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _remove(files: Sequence[Candidate], before: Sequence[tuple[int, int, int]]) -> Iterator[tuple[Path, str]]:
    """Remove what the server has; what has changed meanwhile stays."""
    for file, state in zip(files, before, strict=True):
        if _state(file.path) != state:
            yield file.path, "it has changed since the import began"
            continue
        try:
            os.unlink(file.path)  # noqa: PTH108 - beside the stat that it belongs to
        except OSError as error:
            yield file.path, error.strerror or str(error)


def _imported(
    client: Client,
    files: tuple[ImportedFile, ...],
    algorithm: str,
    order: Order,
    result: Any,
    kept: tuple[tuple[Path, str], ...],
) -> Imported:
    try:
        images = tuple(
            ImportedImage(int(image["id"]), str(image["name"]), image.get("pixels_id")) for image in result["images"]
        )
        plates = tuple(int(plate) for plate in result.get("plates", ()))
        return Imported(files, algorithm, int(result["fileset_id"]), images, plates, order.target, kept)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise not_understood(client.address, "its fileset has not the fields that were expected") from error


def _identifier(value: Any) -> str:
    """An import's id as a part of a path."""
    text = str(value)
    if not text.replace("-", "").isalnum() or not text.isascii():
        raise ValueError(text)
    return text
