"""The files between a node and a server: its configuration, its socket, and the reason that it leaves behind."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from omeroadmin.grid.layout import NodeLayout
from omeroadmin.grid.model import ServerSpecification
from omeroadmin.grid.properties import properties_text
from omeroadmin.system import files

_LOG_TAIL = 8192


def write_configuration(layout: NodeLayout, server: ServerSpecification) -> None:
    """Write a server's configuration file; it holds passwords and only this user may read it.

    :raises AdminError: ``file-not-written``, ``directory-not-created``, ``path-escapes``
    """
    path = layout.configuration(server.identifier)
    files.make_directory(path.parent, mode=0o700)
    content = configuration_text(server).encode()
    if not path.exists() or files.read_bytes(path) != content:
        files.write_atomically(path, content, mode=files.SECRET_MODE)


def configuration_text(server: ServerSpecification) -> str:
    """``key=value`` lines: who the server is, then the descriptor's properties in their order."""
    identity = (("Ice.ServerId", server.identifier), ("Ice.Admin.ServerId", server.identifier))
    return properties_text((*identity, *server.properties))


def forget(layout: NodeLayout, server: str) -> None:
    """Remove what the node keeps of a server that is no more; its configuration holds passwords.

    :raises AdminError: ``path-escapes``
    """
    shutil.rmtree(layout.configuration(server).parents[1], ignore_errors=True)
    remove_leftovers(layout, server)


def remove_leftovers(layout: NodeLayout, server: str) -> None:
    """Remove what an earlier process of a server left: its socket may still be there after a kill.

    :raises AdminError: ``file-not-written``
    """
    for path in (layout.health_socket(server), layout.failure_file(server)):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise files.file_error("written", path, error) from error


def remove_socket(layout: NodeLayout, server: str) -> None:
    """Remove the socket of a process that has ended, however it ended."""
    with contextlib.suppress(OSError):
        layout.health_socket(server).unlink(missing_ok=True)


def failure_reason(layout: NodeLayout, server: str) -> str:
    """The line that a server left when it could not run; empty where there is none."""
    return _last_line(layout.failure_file(server))


def last_log_line(layout: NodeLayout, server: str) -> str:
    """Last line of a server's log; empty where there is none."""
    return _last_line(layout.server_log(server))


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            stream.seek(0, 2)
            stream.seek(max(0, stream.tell() - _LOG_TAIL))
            lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return " ".join(lines[-1].split()) if lines else ""
