"""Files on their way into the managed repository: their directory, their bytes, and their removal.

Each import has a marker in the repository from its first directory to its end, so that a server that was killed
finds what it left behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import stat
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.checksums import SIZE_ONLY, Hasher, new_hasher
from omeroadmin.repository.template_path import TemplateContext, TemplatePath, expand_below
from omeroadmin.runtime.services.blitz.services.times import now
from omeroadmin.schema.transfers import Transfer
from omeroadmin.system import files

_LOG = logging.getLogger("ome.services.blitz.repo.ManagedImport")
_DIRECTORY_MODE = 0o750
_IN_PLACE_MODE = 0o770
"""Of directories that clients of this machine put files into, where the group and the umask let them."""
_FILE_MODE = 0o640
_PART = ".part"
_PIECE = 1 << 20
_ATTEMPTS = 100


@dataclass
class UploadFile:
    """One file of an import.

    :param client_path: as the client named it
    :param path: below the import's directory
    :param size: bytes announced
    :param hash: what the server computed; empty until all bytes are there
    """

    client_path: str
    path: PurePosixPath
    size: int
    hash: str = ""
    busy: bool = False


@dataclass
class Upload:
    """An import that isn't complete.

    :param id: id of its upload job
    :param directory: relative to the repository
    :param algorithm: OMERO's name of the checksum algorithm
    :param transfer: how the files come
    :param began: UTC, as the database has it
    :param received: when all files were there
    """

    id: int
    user_id: int
    session_id: int
    directory: TemplatePath
    algorithm: str
    files: list[UploadFile]
    transfer: Transfer = Transfer.UPLOAD
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False
    touched: float = field(default_factory=time.monotonic)
    began: datetime = field(default_factory=now)
    received: datetime = field(default_factory=now)


class UploadArea:
    """The part of the managed repository that uploads are written to.

    :param root: of the managed repository
    :param server_id: whose markers these are
    """

    def __init__(self, root: Path, server_id: str) -> None:
        self.root = root
        self._markers = root / ".omero" / "imports" / server_id
        self._durable: dict[Path, int] = {}

    def make_directory(
        self, upload_id: int, template: str, context: TemplateContext, *, in_place: bool = False
    ) -> TemplatePath:
        """A new directory for one import, with its marker.

        :param in_place: whether the client itself puts files there
        :raises AdminError: ``template-invalid``, ``template-exhausted``, ``directory-name-too-long``,
            ``directory-not-created``, ``file-not-written``
        """
        files.make_directory(self._markers, mode=0o700)
        for _ in range(_ATTEMPTS):
            directory = expand_below(self.root, template, context)
            self._mark(upload_id, directory.path)
            target = files.inside(self.root, str(directory.path))
            try:
                target.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
                target.mkdir(mode=_IN_PLACE_MODE if in_place else _DIRECTORY_MODE)
            except (FileExistsError, FileNotFoundError):
                continue  # somebody else was faster: took the name, or removed a parent that was empty
            except OSError as error:
                self._prune(target)
                self.forget(upload_id)
                if error.errno == errno.ENAMETOOLONG:
                    raise _name_too_long(directory.path) from error
                raise failed_error("directory-not-created", f"{target} can't be made: {error.strerror}") from error
            return directory
        self.forget(upload_id)
        raise failed_error(
            "directory-not-created", f"no import could have a directory of its own like {directory.path}"
        )

    def prepare(self, upload: Upload) -> None:
        """Make the directories that a client puts the files into.

        :raises AdminError: ``directory-not-created``
        """
        for file in upload.files:
            _make_parents(self.path_of(upload, file), self.directory_of(upload), _IN_PLACE_MODE)

    def directory_of(self, upload: Upload) -> Path:
        """The import's directory."""
        return files.inside(self.root, str(upload.directory.path))

    def path_of(self, upload: Upload, file: UploadFile) -> Path:
        """Where a file of an import is stored."""
        return files.inside(self.root, str(upload.directory.path / file.path))

    def sync(self, upload: Upload) -> None:
        """Make an import's names survive a power cut; its bytes do since they were received."""
        top = self.directory_of(upload)
        for directory in {parent for file in upload.files for parent in _between(self.path_of(upload, file), top)}:
            files.sync_directory(directory)
        files.sync_directory(top)
        # Each directory's own name is in its parent; one that was there before is on the disk already.
        for directory in (top, *top.parents):
            if directory == self.root:
                break
            number = directory.stat().st_ino
            if self._durable.get(directory) == number:
                break
            files.sync_directory(directory.parent)
            if directory != top:
                self._durable[directory] = number

    def discard(self, upload_id: int, directory: PurePosixPath) -> None:
        """Remove an import's files, and the directories above that are empty then.

        :raises AdminError: ``path-escapes``
        """
        target = files.inside(self.root, str(directory))
        if target != self.root:
            shutil.rmtree(target, ignore_errors=True)
            with contextlib.suppress(OSError):
                # Its log, of an import that failed at the very end.
                target.with_name(f"{target.name}.log").unlink(missing_ok=True)
            self._prune(target)
        self.forget(upload_id)

    def _prune(self, target: Path) -> None:
        """Remove the directories above that are empty."""
        for parent in target.parents:
            if parent == self.root:
                break
            try:
                parent.rmdir()
            except OSError:
                break

    def forget(self, upload_id: int) -> None:
        """Remove an import's marker: its files stay."""
        self._marker(upload_id).unlink(missing_ok=True)

    def left_behind(self) -> list[tuple[int, PurePosixPath]]:
        """Imports that an earlier run of this server didn't end."""
        found = []
        for marker in sorted(self._markers.glob("*.json")):
            try:
                upload_id, directory = int(marker.stem), str(json.loads(marker.read_text())["directory"])
                files.inside(self.root, directory)
            except (ValueError, KeyError, TypeError, AdminError):
                _LOG.warning("%s is no marker of an import and is left alone", marker)
                continue
            found.append((upload_id, PurePosixPath(directory)))
        return found

    def _mark(self, upload_id: int, directory: PurePosixPath) -> None:
        """Write a marker: whole for whoever reads it, and not waited for, because only a kill needs it."""
        marker = self._marker(upload_id)
        temporary = marker.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps({"directory": str(directory)}))
            temporary.replace(marker)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise files.file_error("written", marker, error) from error

    def _marker(self, upload_id: int) -> Path:
        return self._markers / f"{upload_id}.json"


class Receiver:
    """Takes the bytes of one file, in constant memory, and hashes them on their way to the disk.

    :param target: where the file is when all is there
    :param directory: of the import
    :param size: bytes announced
    :raises AdminError: ``directory-not-created``, ``file-not-written``
    """

    def __init__(self, target: Path, directory: Path, size: int, algorithm: str) -> None:
        self._target = target
        # A name of its own: an addition to the file's might be too long.
        self._part = target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:32]}{_PART}")
        self._announced = size
        self._received = 0
        self._hasher: Hasher = new_hasher(algorithm)
        _make_parents(target, directory, _DIRECTORY_MODE)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(self._part, flags, _FILE_MODE)
        except OSError as error:
            raise _not_stored(target, error) from error
        self._stream: IO[bytes] = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, data: bytes | bytearray) -> None:
        """Take the next bytes.

        :raises AdminError: ``size-mismatch`` if there are more than were announced, ``file-not-written``
        """
        self._received += len(data)
        if self._received > self._announced:
            raise failed_error("size-mismatch", f"more than the {self._announced} bytes came that were announced")
        view = memoryview(data)
        try:
            while view:
                view = view[self._stream.write(view) :]
        except OSError as error:
            raise _not_stored(self._target, error) from error
        self._hasher.update(data)

    def finish(self) -> str:
        """The file is whole: put it in its place.

        :return: its checksum
        :raises AdminError: ``size-mismatch`` if bytes are missing, ``file-not-written``
        """
        if self._received != self._announced:
            raise failed_error("size-mismatch", f"{self._received} bytes came where {self._announced} were announced")
        try:
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._part.replace(self._target)
        except OSError as error:
            raise _not_stored(self._target, error) from error
        return self._hasher.hexdigest()

    def abandon(self) -> None:
        """Remove what came, unless the file is in its place already."""
        with contextlib.suppress(OSError):
            self._stream.close()
            self._part.unlink(missing_ok=True)


def verify_placed(path: Path, size: int, algorithm: str, *, may_link: bool) -> str:
    """The checksum of a file that a client put in its place.

    :param size: bytes announced
    :param may_link: whether it may be a symbolic link
    :raises AdminError: ``file-not-placed``, ``size-mismatch``
    """
    hasher = new_hasher(algorithm)
    piece = bytearray(_PIECE)
    view = memoryview(piece)
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if may_link else os.O_NOFOLLOW)
    try:
        with os.fdopen(os.open(path, flags), "rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise failed_error("file-not-placed", f"{path.name} is no file")
            if status.st_size != size:
                raise failed_error("size-mismatch", f"{path.name} has {status.st_size} bytes, not {size} as announced")
            # How many bytes it has was just asked; reading them would tell nothing new.
            while algorithm != SIZE_ONLY and (length := stream.readinto(piece)):
                hasher.update(view[:length])
            os.fsync(stream.fileno())
    except OSError as error:
        raise failed_error("file-not-placed", f"the server can't read {path}: {error.strerror}") from error
    return f"{size:016x}" if algorithm == SIZE_ONLY else hasher.hexdigest()


def _between(path: Path, directory: Path) -> list[Path]:
    """Directories between an import's and a file, the file's own first."""
    found = []
    for parent in path.parents:
        if parent == directory:
            break
        found.append(parent)
    return found


def _make_parents(path: Path, directory: Path, mode: int) -> None:
    """Make the directories between an import's and a file."""
    try:
        for parent in reversed(_between(path, directory)):
            parent.mkdir(mode=mode, exist_ok=True)
    except OSError as error:
        raise failed_error(
            "directory-not-created", f"the directory of {path.name} can't be made: {error.strerror}"
        ) from error


def _not_stored(target: Path, error: OSError) -> AdminError:
    return failed_error("file-not-written", f"{target.name} can't be stored: {error.strerror}")


def _name_too_long(directory: PurePosixPath) -> AdminError:
    """The user's name, say, fills a name already, and the template adds its id."""
    longest = max(directory.parts, key=lambda name: len(os.fsencode(name)))
    size = len(os.fsencode(longest))
    return failed_error(
        "directory-name-too-long",
        f"omero.fs.repo.path gives a directory a name of {size} bytes, too long for the file system: {longest[:40]}…",
    )
