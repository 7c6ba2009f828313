"""Keeps a session alive beside long requests."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Self

from omeroadmin.access.client import Client
from omeroadmin.errors import AdminError


class KeepAlive:
    """Keeps a session from idling out while one long request is under way.

    :param client: a client of its own, for use by the thread only
    :param seconds: between two signs of life; 0: the session doesn't idle out
    """

    def __init__(self, client: Client, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keepalive", daemon=True)

    def __enter__(self) -> Self:
        if self._seconds > 0:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def _run(self) -> None:
        with self._client:
            while not self._over.wait(self._seconds):
                # The transfer itself meets the same trouble and reports it.
                with contextlib.suppress(AdminError):
                    self._client.post("/sessions/current/keepalive")
