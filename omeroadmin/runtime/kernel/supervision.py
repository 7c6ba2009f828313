"""What a server does for IceGrid, which starts again whatever ends and sees processes only.

A server that can't run here has itself disabled, with the reason in ``var/run/<server id>.disabled``; one whose node
was killed ends as well. The embedded node does all this for its servers.
"""

from __future__ import annotations

import json
import os
import select
import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.failure import MISCONFIGURED, NOT_INSTALLED
from omeroadmin.runtime.kernel.stop import Stop
from omeroadmin.schema.instance import Instance
from omeroadmin.system import files, process

_DRIVER = "OMERO_GRID_DRIVER"
_CAUSES = {NOT_INSTALLED: "not-installed", MISCONFIGURED: "failed"}
_CRASHES = 5
_WITHIN = 60.0
_HEALTHY = 10.0
_GRACE = 10.0
_PATIENCE = 10.0
_LOG_TAIL = 8192


def is_under_icegrid(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether icegridnode has started this process."""
    return environment.get(_DRIVER) == "icegrid"


def follow_parent(stop: Stop) -> None:
    """Stop when the process that started this one ends, however that happens."""
    try:
        handle = os.pidfd_open(os.getppid())
    except OSError:
        # It has ended already.
        stop.request()
        return
    threading.Thread(target=_watch, args=(handle, stop), name="parent", daemon=True).start()


class Watch:
    """What the end of a server means for its next start.

    :param context: of the server, whose first readiness is still to come
    """

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._ready_at: float | None = None
        context.health.on_first_ready(self._note_ready)

    def conclude(self, status: int) -> None:
        """Have the server disabled if starting it again makes no sense.

        :param status: its exit status
        """
        context = self._context
        if status == 0 or context.stop.requested:
            return
        reason = _reason(context.instance, context.server_id, status)
        cause = _CAUSES.get(status)
        if cause is None:
            crashes = self._count_crash(reason)
            if crashes < _CRASHES:
                return
            cause, reason = "failed", f"failed {crashes} times; {reason}"
        give_up(context.instance, context.server_id, cause, reason)

    def _note_ready(self) -> None:
        self._ready_at = time.monotonic()

    def _count_crash(self, reason: str) -> int:
        path = self._context.instance.run_directory / f"{self._context.server_id}.crashes"
        now = time.time()
        moments = [moment for moment in _moments(path) if now - _WITHIN < moment <= now]
        if self._ready_at is not None and time.monotonic() - self._ready_at >= _HEALTHY:
            moments = []
        moments.append(now)
        _leave(path, {"moments": moments, "reason": reason})
        return len(moments)


def give_up(instance: Instance, server_id: str, cause: str, reason: str) -> None:
    """Leave the reason and have IceGrid disable the server.

    :param cause: ``failed`` or ``not-installed``
    """
    _leave(instance.run_directory / f"{server_id}.disabled", {"cause": cause, "reason": reason})
    configuration = instance.internal_cfg.relative_to(instance.omerodir)
    arguments = ["icegridadmin", f"--Ice.Config={configuration}", "-e", f"server disable '{server_id}'"]
    try:
        process.check(arguments, timeout=_PATIENCE, directory=instance.omerodir)
    except AdminError as error:
        # The node's log is where its admin looks for what keeps being started.
        os.write(2, f"{server_id} can't be disabled: {error.message}\n".encode())


def _watch(handle: int, stop: Stop) -> None:
    select.select([handle], [], [])
    os.close(handle)
    stop.request()
    # What doesn't stop in time must not live on without a supervisor, nor what it has started.
    threading.Event().wait(_GRACE)
    os.killpg(0, signal.SIGKILL)


def _reason(instance: Instance, server_id: str, status: int) -> str:
    """The line that the server left, else the last one of its log."""
    left = _last_line(instance.run_directory / f"{server_id}.failure")
    if left:
        return left
    words = _last_line(instance.log_directory / f"{server_id}.log")
    return f"ended with status {status}: {words}" if words else f"ended with status {status}"


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _LOG_TAIL))
            lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return " ".join(lines[-1].split()) if lines else ""


def _moments(path: Path) -> list[float]:
    try:
        return [float(moment) for moment in json.loads(path.read_bytes())["moments"]]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _leave(path: Path, document: Mapping[str, object]) -> None:
    try:
        files.write_atomically(path, json.dumps(document).encode() + b"\n", mode=files.SECRET_MODE)
    except AdminError as error:
        os.write(2, f"{error.message}\n".encode())
