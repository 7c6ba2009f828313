"""A connection that isn't to be trusted: passes bytes on, and changes one on its way."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from tests.support.ports import free_port


class FlippingProxy:
    """Listens on loopback and passes connections on to another port.

    :param target: port to pass to
    :param mark: what the byte to change follows; only requests are looked at
    """

    def __init__(self, target: int, mark: bytes) -> None:
        self.port = free_port()
        self.flipped = 0
        self._target = target
        self._mark = mark
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._pass, args=(server, client, False), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, change: bool) -> None:
        kept = b""
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                sent = self._changed(kept, piece) if change else piece
                kept = (kept + piece)[-len(self._mark) :]
                sink.sendall(sent)
            sink.shutdown(socket.SHUT_WR)

    def _changed(self, before: bytes, piece: bytes) -> bytes:
        at = (before + piece).find(self._mark) + len(self._mark) - len(before)
        if self._mark not in before + piece or not 0 <= at < len(piece):
            return piece
        self.flipped += 1
        return piece[:at] + bytes([piece[at] ^ 1]) + piece[at + 1 :]


@contextlib.contextmanager
def flipping(target: int, mark: bytes) -> Iterator[FlippingProxy]:
    """A proxy that is closed at the end."""
    proxy = FlippingProxy(target, mark)
    try:
        yield proxy
    finally:
        proxy.close()
