"""Files on their way into the managed repository: their directory, their bytes, and their removal.

Each import has a marker in the repository from its first directory to its end, so that a server that was killed
finds what it left behind.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.checksums import Hasher, new_hasher
from omeroadmin.repository.template_path import TemplateContext, TemplatePath, expand_below
from omeroadmin.system import files

_LOG = logging.getLogger("ome.services.blitz.repo.ManagedImport")
_DIRECTORY_MODE = 0o750
_FILE_MODE = 0o640
_PART = ".part"
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
    """

    id: int
    user_id: int
    session_id: int
    directory: TemplatePath
    algorithm: str
    files: list[UploadFile]
    lock: threading.Lock = field(default_factory=threading.Lock)
    closed: bool = False
    touched: float = field(default_factory=time.monotonic)


class UploadArea:
    """The part of the managed repository that uploads are written to.

    :param root: of the managed repository
    :param server_id: whose markers these are
    """

    def __init__(self, root: Path, server_id: str) -> None:
        self.root = root
        self._markers = root / ".omero" / "imports" / server_id

    def make_directory(self, upload_id: int, template: str, context: TemplateContext) -> TemplatePath:
        """A new directory for one import, with its marker.

        :raises AdminError: ``template-invalid``, ``template-exhausted``, ``directory-not-created``
        """
        files.make_directory(self._markers, mode=0o700)
        for _ in range(_ATTEMPTS):
            directory = expand_below(self.root, template, context)
            marker = json.dumps({"directory": str(directory.path)})
            files.write_atomically(self._marker(upload_id), marker, mode=files.SECRET_MODE)
            target = files.inside(self.root, str(directory.path))
            try:
                target.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
                target.mkdir(mode=_DIRECTORY_MODE)
            except (FileExistsError, FileNotFoundError):
                continue  # somebody else was faster: took the name, or removed a parent that was empty
            except OSError as error:
                self.forget(upload_id)
                raise failed_error("directory-not-created", f"{target} can't be made: {error.strerror}") from error
            return directory
        self.forget(upload_id)
        raise failed_error(
            "directory-not-created", f"no import could have a directory of its own like {directory.path}"
        )

    def path_of(self, upload: Upload, file: UploadFile) -> Path:
        """Where a file of an import is stored."""
        return files.inside(self.root, str(upload.directory.path / file.path))

    def sync(self, upload: Upload) -> None:
        """Make an import's names survive a power cut; its bytes do since they were received."""
        directories = {self.path_of(upload, file).parent for file in upload.files}
        top = files.inside(self.root, str(upload.directory.path))
        for directory in directories | {top, *list(top.parents)[: len(upload.directory.path.parts)]}:
            files.sync_directory(directory)

    def discard(self, upload_id: int, directory: PurePosixPath) -> None:
        """Remove an import's files, and the directories above that are empty then.

        :raises AdminError: ``path-escapes``
        """
        target = files.inside(self.root, str(directory))
        if target != self.root:
            shutil.rmtree(target, ignore_errors=True)
            for parent in target.parents:
                if parent == self.root:
                    break
                try:
                    parent.rmdir()
                except OSError:
                    break
        self.forget(upload_id)

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

    def _marker(self, upload_id: int) -> Path:
        return self._markers / f"{upload_id}.json"


class Receiver:
    """Takes the bytes of one file, in constant memory, and hashes them on their way to the disk.

    :param target: where the file is when all is there
    :param size: bytes announced
    """

    def __init__(self, target: Path, size: int, algorithm: str) -> None:
        self._target = target
        self._part = target.with_name(f".{target.name[:200]}{_PART}")
        self._announced = size
        self._received = 0
        self._hasher: Hasher = new_hasher(algorithm)
        target.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        descriptor = os.open(
            self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, _FILE_MODE
        )
        self._stream: IO[bytes] = os.fdopen(descriptor, "wb", buffering=0)

    def write(self, data: bytes | bytearray) -> None:
        """Take the next bytes.

        :raises AdminError: ``size-mismatch`` if there are more than were announced, ``disk-full``
        """
        self._received += len(data)
        if self._received > self._announced:
            raise failed_error("size-mismatch", f"more than the {self._announced} bytes came that were announced")
        view = memoryview(data)
        try:
            while view:
                view = view[self._stream.write(view) :]
        except OSError as error:
            raise failed_error("file-not-written", f"{self._target.name} can't be stored: {error.strerror}") from error
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
            raise failed_error("file-not-written", f"{self._target.name} can't be stored: {error.strerror}") from error
        return self._hasher.hexdigest()

    def abandon(self) -> None:
        """Remove what came, unless the file is in its place already."""
        with contextlib.suppress(OSError):
            self._stream.close()
            self._part.unlink(missing_ok=True)
