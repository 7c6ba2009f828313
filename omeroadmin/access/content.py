"""The content of single files, to the server and from it, in one pass, with checksums compared."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.problems import not_understood
from omeroadmin.access.transfer import Hasher, pieces
from omeroadmin.access.walk import Candidate
from omeroadmin.errors import AdminError, failed_error

StartHash = Callable[[str], Hasher]
"""Begins a checksum by OMERO's name of the algorithm."""

_LONG_TIMEOUT = 900.0


@dataclass(frozen=True)
class RemoteFile:
    """What a server records of a file.

    :param path: of its directory, below the repository
    :param size: bytes; ``None`` where it isn't known
    :param hash: empty where none was recorded
    :param hasher: OMERO's name of the algorithm
    """

    id: int
    path: str
    name: str
    size: int | None = None
    hash: str = ""
    hasher: str = ""


def read_file(client: Client, document: Any) -> RemoteFile:
    """A file as the API describes it.

    :raises AdminError: ``answer-invalid``
    """
    try:
        size = document["size"]
        return RemoteFile(
            int(document["id"]),
            str(document["path"]),
            str(document["name"]),
            None if size is None else int(size),
            str(document["hash"] or "").lower(),
            str(document["hasher"] or ""),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise not_understood(client.address, "a file has not the fields that were expected") from error


def upload(client: Client, path: Path, mimetype: str, start: StartHash) -> RemoteFile:
    """Bring a file to the server; if that fails, nothing of it stays there.

    :raises AdminError: ``file-not-read``, ``file-changed``, ``checksum-mismatch`` and what :meth:`Client.get` raises
    """
    file = Candidate(path, path.stat().st_size)
    begun = client.post("/uploads", {"name": path.name, "size": file.size, "mimetype": mimetype})
    base, hasher = f"/uploads/{int(begun['id'])}", start(str(begun["checksum_algorithm"]))
    done = False
    try:
        client.upload(base, pieces(file, hasher, lambda _: None), file.size)
        kept = client.post(f"{base}/complete", {"hash": hasher.hexdigest()}, timeout=_LONG_TIMEOUT)
        done = True
    finally:
        if not done:
            # What went wrong is what the user needs to read; the server clears away uploads that nobody ends.
            with contextlib.suppress(AdminError):
                client.delete(base)
    return read_file(client, kept)


def download(client: Client, file: RemoteFile, sink: Callable[[bytes], object], start: StartHash) -> None:
    """Receive a file's bytes and compare them with what is recorded of it.

    :raises AdminError: ``checksum-mismatch``, and what :meth:`Client.download` raises
    """
    hasher = start(file.hasher) if file.hash and file.hasher else None

    def take(piece: bytes) -> None:
        sink(piece)
        if hasher is not None:
            hasher.update(piece)

    received = client.download(f"/files/{file.id}/content", take)
    if file.size is not None and received != file.size:
        raise _differs(file, f"{received} bytes came, not {file.size}")
    if hasher is not None and hasher.hexdigest() != file.hash:
        raise _differs(file, f"its {file.hasher} is {hasher.hexdigest()}, not {file.hash}")


def usual_mode() -> int:
    """Mode of a new file as the umask has it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask


def _differs(file: RemoteFile, how: str) -> AdminError:
    return failed_error(
        "checksum-mismatch",
        f"OriginalFile:{file.id} isn't what the server recorded: {how}",
        "try again; if it stays so, the file on the server is damaged: omero fs sets --check",
    )
