"""Everyone who listens to events. Who can't keep up is let go, and must look for itself when it comes back."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from omeroadmin.runtime.kernel.health import Health

_MOST_BYTES_WAITING = 1024 * 1024
_MOST_SUBSCRIBERS = 256


class Subscribers:
    """Open connections; used inside one event loop."""

    def __init__(self, health: Health, log: logging.Logger) -> None:
        self._writers: set[asyncio.StreamWriter] = set()
        self._health = health
        self._log = log

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Keep a subscriber until it goes."""
        if len(self._writers) >= _MOST_SUBSCRIBERS:
            writer.close()
            return
        self._writers.add(writer)
        self._note()
        try:
            with contextlib.suppress(OSError):
                while await reader.read(4096):
                    pass  # subscribers have nothing to say
        finally:
            self._drop(writer)

    def publish(self, line: str) -> None:
        """Send one line to all; never waits."""
        self._health.count("events")
        content = line.encode() + b"\n"
        for writer in list(self._writers):
            if writer.transport.get_write_buffer_size() > _MOST_BYTES_WAITING:
                self._log.warning("A subscriber is more than %d bytes behind and is dropped", _MOST_BYTES_WAITING)
                self._health.count("dropped")
                writer.transport.abort()
                self._drop(writer)
                continue
            writer.write(content)

    def close(self) -> None:
        """Let all go."""
        for writer in list(self._writers):
            self._drop(writer)

    def _drop(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        writer.close()
        self._note()

    def _note(self) -> None:
        self._health.note("subscribers", len(self._writers))
