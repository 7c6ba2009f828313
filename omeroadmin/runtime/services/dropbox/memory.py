"""What DropBox has dealt with, on disk: a restart imports nothing twice and tries nothing hopeless again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import IO

from omeroadmin.runtime.services.monitorserver.watch import DroppedFile
from omeroadmin.system import files

_COMPACT_ABOVE = 1000


class Memory:
    """A file of JSON lines, each the last known state of a path; appended to, and rewritten now and then.

    :param path: the file; its directory is made where it is missing
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        files.make_directory(path.parent, mode=0o700)
        self._known: dict[str, DroppedFile] = {}
        lines = self._read()
        if lines > _COMPACT_ABOVE and lines > 2 * len(self._known):
            self._rewrite()
        self._stream: IO[bytes] = self._open()

    def knows(self, file: DroppedFile) -> bool:
        """Whether the file was dealt with as it is now."""
        return self._known.get(file.path) == file

    def has_path(self, file: DroppedFile) -> bool:
        """Whether the path was dealt with, whatever was in the file then."""
        return file.path in self._known

    def remember(self, file: DroppedFile) -> None:
        """Note durably that the file is dealt with.

        :raises AdminError: ``file-not-written``
        """
        try:
            self._stream.write(_line(file))
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise files.file_error("written", self._path, error) from error
        self._known[file.path] = file

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _open(self) -> IO[bytes]:
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise files.file_error("written", self._path, error) from error
        return os.fdopen(descriptor, "ab")

    def _read(self) -> int:
        if not self._path.exists():
            return 0
        content = files.read_bytes(self._path)
        if content and not content.endswith(b"\n"):
            # A crash cut the last line off; what it told of is found out anew.
            content = content[: content.rfind(b"\n") + 1]
            files.write_atomically(self._path, content)
        lines = content.splitlines()
        for line in lines:
            try:
                file = DroppedFile(**json.loads(line))
            except (ValueError, TypeError):
                continue
            self._known[file.path] = file
        return len(lines)

    def _rewrite(self) -> None:
        files.write_atomically(self._path, b"".join(map(_line, self._known.values())))


def _line(file: DroppedFile) -> bytes:
    return json.dumps(asdict(file)).encode() + b"\n"
