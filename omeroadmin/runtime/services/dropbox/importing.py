"""Imports a file through Blitz on behalf of its user."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO, Any

from omeroadmin.errors import failed_error
from omeroadmin.repository.checksums import Hasher, new_hasher
from omeroadmin.runtime.kernel.client import InternalClient
from omeroadmin.system.files import file_error

_ALGORITHMS = ("SHA1-160", "MD5-128", "CRC-32", "Adler-32", "File-Size-64", "Murmur3-128", "Murmur3-32")


class _Hashing(io.RawIOBase):
    """A file that is hashed while it is read."""

    def __init__(self, stream: IO[bytes], hasher: Hasher) -> None:
        self._stream = stream
        self._hasher = hasher

    def readable(self) -> bool:
        """Reading is what it is for."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self._hasher.update(data)
        return data


def is_imported(client: InternalClient, path: Path) -> bool:
    """Whether Blitz has a complete import of a file from this path.

    :raises AdminError: as Blitz answers
    """
    answer = client.request("POST", "/api/v0/filesets/client-paths", {"paths": [str(path)]})
    return bool(answer["known"])


def import_file(client: InternalClient, path: Path, *, agent: str) -> list[dict[str, Any]]:
    """Import one file with the client's session.

    :return: the images as the API describes them
    :raises AdminError: ``unreadable-image``, ``checksum-mismatch``, ``file-not-read``, as Blitz answers
    """
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            started = client.request(
                "POST",
                "/api/v0/imports",
                {
                    "files": [{"client_path": str(path), "size": size}],
                    "checksum_algorithms": list(_ALGORITHMS),
                    "agent": agent,
                },
            )
            base = f"/api/v0/imports/{started['import_id']}"
            try:
                return _transfer(client, base, stream, size, str(started["checksum_algorithm"]))
            except BaseException:
                _withdraw(client, base)
                raise
    except OSError as error:
        raise file_error("read", path, error) from error


def _transfer(client: InternalClient, base: str, stream: IO[bytes], size: int, algorithm: str) -> list[dict[str, Any]]:
    hasher = new_hasher(algorithm)
    stored = client.upload(f"{base}/files/0", _Hashing(stream, hasher), size)  # type: ignore[arg-type] # reads bytes
    if stored["hash"] != hasher.hexdigest():
        raise failed_error("checksum-mismatch", f"Blitz stored {stored['hash']} where {hasher.hexdigest()} was sent")
    done = client.request("POST", f"{base}/complete", {"hashes": [hasher.hexdigest()], "name": None})
    return list(done["images"])


def _withdraw(client: InternalClient, base: str) -> None:
    """Ask Blitz to remove the files; an import that Blitz has ended itself is gone already."""
    from contextlib import suppress

    from omeroadmin.errors import AdminError

    with suppress(AdminError):
        client.request("DELETE", base)
