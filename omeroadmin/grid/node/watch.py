"""Looks after a server that is ready: one that lives but no longer answers is ended, so that it is started again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from omeroadmin.grid.model import ServerSpecification
from omeroadmin.grid.node import health
from omeroadmin.grid.node.child import Child

HUNG_TIMEOUT = "omero.grid.hung_timeout"
HUNG_AFTER = 60.0
"""Seconds, where the property isn't set: far beyond what swapping or a busy disk make a thread wait that does nothing
but answer."""

_LOOK = 10.0
_MISSES = 3


def hung_timeout(server: ServerSpecification) -> float:
    """Seconds for which a server may be silent; 0: for ever."""
    text = dict(server.properties).get(HUNG_TIMEOUT, "")
    try:
        return max(0.0, float(text)) if text else HUNG_AFTER
    except ValueError:
        return HUNG_AFTER


async def watch(child: Child, socket: Path, patience: float, tell: Callable[[str], None]) -> str:
    """Wait until a server ends, and end it when it is silent for too long.

    :param patience: seconds of silence; 0: never end it
    :param tell: is given what is wrong with the server, or that nothing is
    :return: why it was ended; empty where it ended by itself
    """
    heard, misses = time.monotonic(), 0
    pause = min(_LOOK, patience / (_MISSES + 1)) if patience else _LOOK
    while not await child.exited(pause):
        answer = await health.ask(socket)
        if answer is not None and answer.pid in (None, child.pid):
            heard, misses = time.monotonic(), 0
            tell("" if answer.ready else answer.reason)
            continue
        misses += 1
        silence = f"no answer for {time.monotonic() - heard:.0f} s"
        tell(silence)
        # A machine that slept makes one long silence, a server that hangs several.
        if patience and time.monotonic() - heard >= patience and misses >= _MISSES:
            child.kill()
            await child.exited()
            return f"hung: {silence}"
    return ""
