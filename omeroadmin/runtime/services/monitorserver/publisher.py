"""Tells whoever connects which files have settled: a line of JSON for each, those that are there already first."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from omeroadmin.runtime.services.monitorserver.watch import DroppedFile
from omeroadmin.system import sockets

_SEND_SECONDS = 30.0
_MOST_WAITING = 100_000


class Publisher:
    """A listening socket and its subscribers.

    :param present: gives the files that a new subscriber hears of at once
    """

    def __init__(self, path: Path, present: Callable[[], Iterable[DroppedFile]]) -> None:
        self._path = path
        self._present = present
        self._lock = threading.Lock()
        self._subscribers: dict[socket.socket, queue.Queue[DroppedFile | None]] = {}
        self._listener = sockets.listen_unix(path)
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    def publish(self, file: DroppedFile) -> None:
        """Tell all; one that has too many lines waiting is let go and hears of all files when it comes again."""
        with self._lock:
            for connection, lines in list(self._subscribers.items()):
                try:
                    lines.put_nowait(file)
                except queue.Full:
                    self._drop(connection)

    def close(self) -> None:
        """Let all go."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._path.unlink(missing_ok=True)
        with self._lock:
            for connection in list(self._subscribers):
                self._drop(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(_SEND_SECONDS)
            lines: queue.Queue[DroppedFile | None] = queue.Queue(_MOST_WAITING)
            with self._lock:
                for file in self._present():
                    with contextlib.suppress(queue.Full):
                        lines.put_nowait(file)
                self._subscribers[connection] = lines
            threading.Thread(target=self._send, args=(connection, lines), name="subscriber", daemon=True).start()

    def _send(self, connection: socket.socket, lines: queue.Queue[DroppedFile | None]) -> None:
        try:
            while (file := lines.get()) is not None:
                connection.sendall(json.dumps(asdict(file)).encode() + b"\n")
        except OSError:
            with self._lock:
                self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        lines = self._subscribers.pop(connection, None)
        if lines is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
            with contextlib.suppress(queue.Full):
                lines.put_nowait(None)
