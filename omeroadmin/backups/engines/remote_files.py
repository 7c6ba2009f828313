"""Files and directories on the other side of an SFTP connection; what goes wrong there is one line here."""

from __future__ import annotations

import contextlib
import posixpath
import secrets
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.system import files
from omeroadmin.system.ssh import SshConnection, connection_broke

if TYPE_CHECKING:
    from paramiko import SFTPClient, SFTPFile

_CHUNK = 1 << 20
_SMALL = 1 << 15
"""Bytes that one answer holds."""
_DIRECTORY_MODE = 0o700
_AGAIN = "run it again; what has arrived there is not sent again"


class Listed(NamedTuple):
    """A name in a directory."""

    name: str
    size: int
    is_directory: bool


class RemoteFiles:
    """Operations below one directory of another host.

    :param root: the directory there
    """

    def __init__(self, connection: SshConnection, root: str) -> None:
        self.connection = connection
        self.root = root

    def path(self, *names: str) -> str:
        """A path there."""
        return posixpath.join(self.root, *names)

    def shown(self, path: str) -> str:
        """A path there, for messages."""
        return f"ssh://{self.connection.name}{'' if path.startswith('/') else '/~/'}{path}"

    @contextlib.contextmanager
    def using(self, path: str, verb: str) -> Iterator[SFTPClient]:
        """A channel, with errors put into words; that a file is missing stays for the caller.

        :param verb: what is tried: ``written``
        :raises FileNotFoundError:
        :raises AdminError: ``backup-not-written``, ``file-not-read``, ``ssh-unreachable`` …
        """
        import paramiko

        try:
            with self.connection.sftp() as sftp:
                yield sftp
        except FileNotFoundError:
            raise
        except (EOFError, paramiko.SSHException, TimeoutError, ConnectionError) as error:
            raise connection_broke(self.connection.name, error, _AGAIN) from error
        except OSError as error:
            if str(error) == "Socket is closed":
                raise connection_broke(self.connection.name, error, _AGAIN) from error
            raise self._failed(verb, path, error) from error

    def _failed(self, verb: str, path: str, error: OSError) -> AdminError:
        # SFTP's errors have no number for a full disk: "Failure".
        why = error.strerror or str(error)
        code = "backup-not-written" if verb == "written" else f"file-not-{verb}"
        hint = "make room there, or check the directory's owner" if verb == "written" else ""
        return failed_error(code, f"{self.shown(path)} can't be {verb}: {why}", hint)

    def list(self, path: str) -> list[Listed]:
        """The names in a directory; none where it is missing."""
        try:
            with self.using(path, "read") as sftp:
                found = sftp.listdir_attr(path)
        except FileNotFoundError:
            return []
        return [Listed(item.filename, item.st_size or 0, stat.S_ISDIR(item.st_mode or 0)) for item in found]

    def exists(self, path: str) -> bool:
        """Whether there is something of this name."""
        try:
            with self.using(path, "read") as sftp:
                sftp.lstat(path)
        except FileNotFoundError:
            return False
        return True

    def make_directory(self, path: str) -> None:
        """Make a directory and those above it, private."""
        missing = []
        while path and path != "/" and not self.exists(path):
            missing.append(path)
            path = posixpath.dirname(path)
        for name in reversed(missing):
            with self.using(name, "written") as sftp:
                try:
                    sftp.mkdir(name, _DIRECTORY_MODE)
                except OSError:
                    if not self.exists(name):
                        raise

    def read(self, path: str) -> bytes:
        """The content of a small file.

        :raises FileNotFoundError:
        """
        return b"".join(self.chunks(path))

    def chunks(self, path: str) -> Iterator[bytes]:
        """The content of a file, piece by piece, asked for ahead.

        :raises FileNotFoundError:
        """
        with self.using(path, "read") as sftp, sftp.open(path, "rb") as stream:
            size = stream.stat().st_size or 0
            if size > _SMALL:
                stream.prefetch(size, max_concurrent_requests=64)
            while chunk := stream.read(_CHUNK):
                yield chunk

    def create(self, path: str, chunks: Iterable[bytes]) -> None:
        """Make a new private file."""
        with self.using(path, "written") as sftp, sftp.open(path, "wbx") as stream:
            self._fill(stream, chunks)

    def _fill(self, stream: SFTPFile, chunks: Iterable[bytes]) -> None:
        stream.chmod(files.SECRET_MODE)
        # Answers are not waited for one by one; closing waits for all of them.
        stream.set_pipelined(True)
        for chunk in chunks:
            stream.write(chunk)
        stream.flush()

    def rename(self, old: str, new: str) -> None:
        """Give a file its name, in one step, whether or not there was one of this name.

        :raises FileNotFoundError: if the directory is missing
        """
        with self.using(new, "written") as sftp:
            sftp.posix_rename(old, new)

    def write_atomically(self, path: str, content: bytes) -> None:
        """Put a whole file in the place of another."""
        temporary = posixpath.join(posixpath.dirname(path), f".{secrets.token_hex(8)}.tmp")
        self.create(temporary, [content])
        self.rename(temporary, path)

    def remove(self, path: str) -> None:
        """Remove a file; nothing happens where it is missing."""
        with contextlib.suppress(FileNotFoundError), self.using(path, "removed") as sftp:
            sftp.remove(path)

    def remove_tree(self, path: str) -> None:
        """Remove a directory and what is in it; a link is removed, not followed."""
        for item in self.list(path):
            below = posixpath.join(path, item.name)
            if item.is_directory:
                self.remove_tree(below)
            else:
                self.remove(below)
        with contextlib.suppress(FileNotFoundError), self.using(path, "removed") as sftp:
            sftp.rmdir(path)

    def overwrite(self, path: str, content: bytes) -> None:
        """Write a small file again in place, so that its time becomes the other side's present.

        :raises FileNotFoundError:
        """
        with self.using(path, "written") as sftp, sftp.open(path, "r+b") as stream:
            stream.write(content)

    def modified(self, path: str) -> float:
        """When a file was written to, by the clock of the other side.

        :raises FileNotFoundError:
        """
        with self.using(path, "read") as sftp:
            return float(sftp.lstat(path).st_mtime or 0)
