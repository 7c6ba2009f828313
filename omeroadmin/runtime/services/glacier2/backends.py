"""Which Blitz serves which session: the same one each time, another when it is gone, and that one from then on.

What a session is in the middle of, an import, is in the memory of its Blitz. A session that had to move therefore
doesn't move back when its first Blitz is there again.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

from omeroadmin.errors import unreachable_error
from omeroadmin.system import sockets

_CONNECT_SECONDS = 5.0
_BUFFER = 256 * 1024
_INTERNAL = "-internal.sock"
_MOST_HOMES = 100_000
"""Sessions whose Blitz is remembered, the last used ones; each takes about 200 bytes."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Backends:
    """The Blitz instances of this grid, found by the names of their sockets.

    :param run_directory: ``var/run``
    """

    def __init__(self, run_directory: Path) -> None:
        self._run_directory = run_directory
        self._homes: OrderedDict[bytes, str] = OrderedDict()

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
        """A connection to the first instance that accepts one, without a session.

        :param key: the client's address: its logins are counted in one place
        :raises AdminError: ``blitz-unavailable``
        """
        _, streams = await open_first(self.ordered(key))
        return streams

    async def connect_session(self, key: str) -> Streams:
        """A connection to the instance that serves a session.

        :param key: session key
        :raises AdminError: ``blitz-unavailable``
        """
        # The credential itself is not kept.
        name = hashlib.blake2b(key.encode(), digest_size=16).digest()
        home = self._homes.get(name)
        path, streams = await open_first(sorted(self.ordered(key), key=lambda path: path.name != home))
        self._homes[name] = path.name
        self._homes.move_to_end(name)
        if len(self._homes) > _MOST_HOMES:
            self._homes.popitem(last=False)
        return streams


async def open_first(sockets_in_order: Iterable[Path]) -> tuple[Path, Streams]:
    """A connection to the first socket behind which somebody accepts it, and which that is.

    :raises AdminError: ``blitz-unavailable``
    """
    for path in sockets_in_order:
        try:
            with sockets.short_address(path) as address:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return path, await asyncio.open_unix_connection(address, limit=_BUFFER)
        except OSError:
            continue
    raise unreachable_error("blitz-unavailable", "no Blitz answers; it may be starting")
