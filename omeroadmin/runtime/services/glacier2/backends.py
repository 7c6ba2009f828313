"""Which Blitz serves which session: the same one each time, another when it is gone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path

from omeroadmin.errors import unreachable_error
from omeroadmin.system import sockets

_CONNECT_SECONDS = 5.0
_BUFFER = 256 * 1024
_INTERNAL = "-internal.sock"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Backends:
    """The Blitz instances of this grid, found by the names of their sockets.

    :param run_directory: ``var/run``
    """

    def __init__(self, run_directory: Path) -> None:
        self._run_directory = run_directory

    def ordered(self, key: str) -> list[Path]:
        """All sockets, the one responsible for a key first.

        Each key ranks the instances by a hash of both: when one goes, only its own sessions move.
        """
        names = [path for path in self._run_directory.glob("Blitz-*.sock") if not path.name.endswith(_INTERNAL)]
        return sorted(names, key=lambda path: hashlib.blake2b(f"{key}\0{path.name}".encode(), digest_size=8).digest())

    def internal(self) -> list[Path]:
        """The sockets for the other servers, in a fixed order."""
        return sorted(self._run_directory.glob(f"Blitz-*{_INTERNAL}"))

    async def connect(self, key: str) -> Streams:
        """A connection to the first instance that accepts one.

        :param key: session key, or where there is none the client's address
        :raises AdminError: ``blitz-unavailable``
        """
        return await open_first(self.ordered(key))


async def open_first(sockets_in_order: Iterable[Path]) -> Streams:
    """A connection to the first socket behind which somebody accepts it.

    :raises AdminError: ``blitz-unavailable``
    """
    for path in sockets_in_order:
        try:
            with sockets.short_address(path) as address:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_unix_connection(address, limit=_BUFFER)
        except OSError:
            continue
    raise unreachable_error("blitz-unavailable", "no Blitz answers; it may be starting")
