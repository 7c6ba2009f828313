"""Agents that are killed while they work, and others that complete it."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError
from omeroadmin.system.clock import monotonic
from tests.support.agents import Worker, leftovers
from tests.support.rounds import rounds

KILLS = 12
Start = Callable[[], AbstractContextManager[Worker]]
"""Starts an agent that tells its process id in the file ``pid`` of the test's directory."""
Wishes = Callable[[Worker, int], list[dict[str, Any]]]


def kill_while(wishes: Wishes, start: Start, directory: Path, number: int, longest: float) -> bool:
    """Kill an agent while it applies; whether it was before its end."""
    chance = random.Random(number)
    with start() as found:
        wanted = wishes(found, number)
        pid = int((directory / "pid").read_text())
        timer = threading.Timer(chance.uniform(0, longest), os.kill, (pid, signal.SIGKILL))
        timer.start()
        try:
            found.messages(*wanted)
        except AdminError as error:
            assert error.code == "host-lost"  # noqa: PT017 - the agent may have been done before
            return True
        finally:
            timer.cancel()
            timer.join()
    return False


def kill_and_complete(wishes: Wishes, start: Start, directory: Path, whole: Callable[[int], None]) -> None:
    """Rounds of: killed, looked at, completed, nothing left.

    :param whole: fails where something is neither as in the round before nor as in this one
    """
    with start() as found:
        began = monotonic()
        found.apply(*wishes(found, 0))
        longest = monotonic() - began
    killed = 0
    for number in range(1, rounds(KILLS) + 1):
        killed += kill_while(wishes, start, directory, number, longest)
        whole(number)
        with start() as found:
            wanted = wishes(found, number)
            found.apply(*wanted)
            assert found.apply(*wanted) == [], f"round {number}"
        assert leftovers(directory) == [], f"round {number}"
    assert killed > 0
