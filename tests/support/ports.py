"""Free ports for servers under test, below the range that the kernel hands out to clients."""

from __future__ import annotations

import random
import socket

_given: set[int] = set()


def free_port() -> int:
    """A TCP port on loopback that is free now and wasn't given before."""
    for _ in range(1000):
        port = random.randint(10000, 31999)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise AssertionError("no free port between 10000 and 31999")
