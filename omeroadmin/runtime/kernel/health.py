"""The answer to "are you ready?": one JSON line to whoever connects to ``var/run/<server id>.health``."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from omeroadmin.system import sockets

Detail = dict[str, object]


class Health:
    """Readiness and counters of one server; safe to use from any thread."""

    def __init__(self, server_id: str, path: Path) -> None:
        self._server_id = server_id
        self._path = path
        self._lock = threading.Lock()
        self._reason = "starting"
        self._detail: Detail = {}
        self._sources: list[Callable[[], Detail]] = []
        self._listener: socket.socket | None = None
        self._waiting: list[Callable[[], None]] = []

    def start(self) -> None:
        """Listen; not ready until :meth:`ready` is called.

        :raises OSError: if the socket can't be made
        """
        self._listener = sockets.listen_unix(self._path)
        threading.Thread(target=self._serve, args=(self._listener,), name="health", daemon=True).start()

    def ready(self) -> None:
        """The server does its job."""
        with self._lock:
            self._reason = ""
            waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()

    def on_first_ready(self, callback: Callable[[], None]) -> None:
        """Call back, once, when the server is ready for the first time."""
        with self._lock:
            self._waiting.append(callback)

    def not_ready(self, reason: str) -> None:
        """The server can't do its job for now.

        :param reason: one line for people
        """
        with self._lock:
            self._reason = reason

    def count(self, name: str, amount: int = 1) -> None:
        """Raise a counter of the answer's detail."""
        with self._lock:
            present = self._detail.get(name, 0)
            self._detail[name] = (present if isinstance(present, int) else 0) + amount

    def note(self, name: str, value: object) -> None:
        """Put a value that JSON can express into the answer's detail."""
        with self._lock:
            self._detail[name] = value

    def add_source(self, source: Callable[[], Detail]) -> None:
        """Ask this function for more detail at each answer; it must be quick."""
        with self._lock:
            self._sources.append(source)

    def answer(self) -> Detail:
        """The answer as of now."""
        with self._lock:
            reason, detail, sources = self._reason, dict(self._detail), list(self._sources)
        for source in sources:
            detail.update(source())
        answer: Detail = {"id": self._server_id, "pid": os.getpid(), "ready": not reason, "detail": detail}
        if reason:
            answer["reason"] = reason
        return answer

    def close(self) -> None:
        """Stop listening."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                connection.sendall(json.dumps(self.answer()).encode() + b"\n")
