"""This machine as a host."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from omeroadmin.system import files, process
from omeroadmin.system.host import FileFacts


class LocalHost:
    """Carries out steps on this machine, as this user."""

    def run(
        self,
        arguments: Sequence[str],
        *,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        input_text: str | None = None,
    ) -> process.Completed:
        """Run a program to its end; see :func:`omeroadmin.system.process.run`."""
        return process.run(arguments, timeout=timeout, environment=environment, input_text=input_text)

    def facts(self, path: Path) -> FileFacts | None:
        """What a path is; ``None`` where there is nothing.

        :raises AdminError: ``file-not-read`` where this user may not look
        """
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise files.file_error("read", path, error) from error
        return FileFacts(stat.S_ISDIR(status.st_mode), stat.S_IMODE(status.st_mode), status.st_size)

    def read(self, path: Path) -> bytes:
        """Content of a file."""
        return files.read_bytes(path)

    def write(self, path: Path, content: bytes, *, mode: int | None) -> None:
        """Replace a file's content in one step."""
        files.write_atomically(path, content, mode=mode)

    def make_directory(self, path: Path, *, mode: int) -> None:
        """Create a directory with exactly this mode."""
        files.make_directory(path, mode=mode)
