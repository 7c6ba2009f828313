"""Why a server is disabled; IceGrid knows only that it is."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import Cause
from omeroadmin.grid.node.registry import Registry
from omeroadmin.system import files

_BY_ADMIN = "disabled by an admin"
_ENDINGS = ("disabled", "crashes", "failure")
_TAIL = 65536


@dataclass(frozen=True)
class Verdict:
    """Why a server doesn't run."""

    cause: Cause
    reason: str


def verdict(layout: NodeLayout, registry: Registry, server: str) -> Verdict:
    """Why a disabled server is so.

    :param layout: of its node
    """
    if registry.is_disabled(server):
        return Verdict(Cause.ADMIN, _BY_ADMIN)
    document = _document(_file(layout, server, "disabled"))
    if document is not None:
        optional = document.get("cause") == Cause.NOT_INSTALLED
        return Verdict(Cause.NOT_INSTALLED if optional else Cause.FAILED, str(document.get("reason", "")))
    refused = _activation_failure(layout, server)
    return Verdict(Cause.FAILED, refused) if refused else Verdict(Cause.ADMIN, _BY_ADMIN)


def crash_reason(layout: NodeLayout, server: str) -> str:
    """Why a server that is started again and again ended last time; empty where it didn't."""
    document = _document(_file(layout, server, "crashes"))
    return "" if document is None else str(document.get("reason", ""))


def forget(layout: NodeLayout, servers: Iterable[str]) -> None:
    """Remove what earlier processes left: at a new start, what failed is tried again.

    :raises AdminError: ``file-not-written``
    """
    for server in servers:
        for ending in _ENDINGS:
            path = _file(layout, server, ending)
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise files.file_error("written", path, error) from error


def _file(layout: NodeLayout, server: str, ending: str) -> Path:
    return files.inside(layout.instance.run_directory, f"{server}.{ending}")


def _document(path: Path) -> dict[str, object] | None:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _activation_failure(layout: NodeLayout, server: str) -> str:
    """What the node's log says of a server whose program couldn't be run since the node was started."""
    pattern = re.compile(
        rf"^-! (\S+ \S+) \S+: warning: server activation failed for `{re.escape(server)}':\n +(.+)$", re.MULTILINE
    )
    found = pattern.findall(_tail(layout.error_log))
    if not found:
        return ""
    stamp, reason = found[-1]
    with contextlib.suppress(OSError, ValueError):
        # Ice writes local time; the pid file is as old as the node.
        moment = datetime.strptime(stamp, "%m/%d/%y %H:%M:%S.%f").astimezone()
        return reason.strip() if moment.timestamp() >= int(layout.pid_file.stat().st_mtime) else ""
    return ""


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _TAIL))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
