"""What a server of this machine says of itself; IceGrid knows only that its process runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.system.sockets import connect_unix

_TIMEOUT = 2.0
_LONGEST = 65536


@dataclass(frozen=True)
class Answer:
    """An answer to "are you ready?".

    :param pid: the process that answered
    :param reason: why it isn't ready
    """

    pid: int | None
    ready: bool
    reason: str


def ask(socket: Path) -> Answer | None:
    """A server's answer; ``None`` where nobody answers in time or sensibly."""
    try:
        with connect_unix(socket, timeout=_TIMEOUT) as connection, connection.makefile("rb") as stream:
            document = json.loads(stream.readline(_LONGEST))
        pid = document.get("pid")
        return Answer(None if pid is None else int(pid), document["ready"] is True, str(document.get("reason") or ""))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
