"""The checksum algorithms that OMERO records with original files, as streams."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from omeroadmin.errors import configuration_error, failed_error
from omeroadmin.repository.murmur3 import Murmur3With32Bits, Murmur3With128Bits
from omeroadmin.system.files import file_error

_PIECE = 1 << 20


SIZE_ONLY = "File-Size-64"
"""The algorithm that looks at no content."""


class Hasher(Protocol):
    """A checksum under way."""

    def update(self, data: bytes | bytearray | memoryview, /) -> object:
        """Take the next bytes."""
        ...

    def hexdigest(self) -> str:
        """Checksum of all bytes so far, in lower-case hex."""
        ...


class _Rolling:
    """One of zlib's checksums, which are functions of the last value and the next bytes."""

    def __init__(self, function: Callable[[bytes | bytearray | memoryview, int], int], start: int) -> None:
        self._function = function
        self._value = start

    def update(self, data: bytes | bytearray | memoryview) -> None:
        self._value = self._function(data, self._value)

    def hexdigest(self) -> str:
        return f"{self._value:08x}"


class _Size:
    """Counts bytes: the cheapest proof that a file is whole."""

    def __init__(self) -> None:
        self._size = 0

    def update(self, data: bytes | bytearray | memoryview) -> None:
        self._size += len(data)

    def hexdigest(self) -> str:
        return f"{self._size:016x}"


_ALGORITHMS: dict[str, Callable[[], Hasher]] = {
    "SHA1-160": lambda: hashlib.sha1(usedforsecurity=False),
    "MD5-128": lambda: hashlib.md5(usedforsecurity=False),
    "Murmur3-128": Murmur3With128Bits,
    "Murmur3-32": Murmur3With32Bits,
    "CRC-32": lambda: _Rolling(zlib.crc32, 0),
    "Adler-32": lambda: _Rolling(zlib.adler32, 1),
    SIZE_ONLY: _Size,
}

ALGORITHMS: tuple[str, ...] = tuple(_ALGORITHMS)
"""Names of all algorithms in OMERO's order of preference."""


def new_hasher(algorithm: str) -> Hasher:
    """Start a checksum.

    :param algorithm: OMERO's name, e.g. ``SHA1-160``
    :raises AdminError: ``checksum-unknown``
    """
    try:
        return _ALGORITHMS[algorithm]()
    except KeyError:
        raise configuration_error(
            "checksum-unknown",
            f"there is no checksum algorithm {algorithm!r}",
            f"known are {', '.join(ALGORITHMS)}",
        ) from None


def parse_supported(text: str) -> tuple[str, ...]:
    """Algorithms of ``omero.checksum.supported`` in their order.

    :raises AdminError: ``checksum-unknown``
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        new_hasher(name)
    return names or ALGORITHMS


def negotiate(client: Sequence[str], server: Sequence[str]) -> str:
    """The first algorithm of the server that the client has too.

    :param client: what the client can do; empty: anything
    :param server: what the server supports, best first
    :raises AdminError: ``checksum-not-agreed``
    """
    for name in server:
        if not client or name in client:
            return name
    raise failed_error(
        "checksum-not-agreed",
        f"client ({', '.join(client)}) and server ({', '.join(server)}) have no checksum algorithm in common",
        "offer one of the server's; they are in omero.checksum.supported",
    )


def hash_file(path: Path, algorithm: str, *, on_read: Callable[[int], None] | None = None) -> str:
    """Checksum of a file's content.

    :param on_read: told of the length of each piece before it is hashed
    :raises AdminError: ``checksum-unknown``, ``file-not-read``
    """
    hasher = new_hasher(algorithm)
    piece = bytearray(_PIECE)
    view = memoryview(piece)
    try:
        with path.open("rb", buffering=0) as stream:
            while length := stream.readinto(piece):
                if on_read is not None:
                    on_read(length)
                hasher.update(view[:length])
    except OSError as error:
        raise file_error("read", path, error) from error
    return hasher.hexdigest()
