"""Asks a server whether it is ready: one JSON line from ``var/run/<server id>.health``."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.system.sockets import short_address

_TIMEOUT = 2.0
_LIMIT = 65536


@dataclass(frozen=True)
class Answer:
    """What a server says of itself.

    :param pid: the process that answered
    :param reason: why it isn't ready
    """

    pid: int | None
    ready: bool
    reason: str


async def ask(socket: Path) -> Answer | None:
    """A server's answer; ``None`` where nobody answers in time or sensibly."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            line = await _read_line(socket)
    except (OSError, TimeoutError, ValueError):
        return None
    try:
        document = json.loads(line)
        pid = document.get("pid")
        return Answer(None if pid is None else int(pid), document["ready"] is True, str(document.get("reason") or ""))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


async def _read_line(socket: Path) -> bytes:
    with short_address(socket) as address:
        reader, writer = await asyncio.open_unix_connection(address, limit=_LIMIT)
    try:
        return await reader.readline()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
