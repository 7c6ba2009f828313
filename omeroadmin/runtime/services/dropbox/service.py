"""DropBox: imports what settles in a user's folder as that user. TestDropBox: the same, in a folder made for it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.kernel.client import InternalClient
from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.runtime.kernel.trouble import Trouble
from omeroadmin.runtime.services.dropbox.importing import import_file, is_imported
from omeroadmin.runtime.services.dropbox.memory import Memory
from omeroadmin.runtime.services.monitorserver.watch import DroppedFile
from omeroadmin.system import sockets

_MONITOR_SOCKET = "MonitorServer.sock"
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_READ_SECONDS = 1.0
_HOPELESS = frozenset({"unreadable-image", "file-name-invalid", "file-not-read"})
"""Failures that only a change of the file could mend."""


def run(context: ServiceContext) -> int:
    """Import until the server shall stop."""
    if context.kind == "TestDropBox":
        from omeroadmin.runtime.services.dropbox.testing import run_test

        return run_test(context)
    importer = Importer(context, Memory(context.settings.data_directory / "DropBox" / ".imported" / "files.jsonl"))
    trouble = Trouble(context)
    pause = _FIRST_PAUSE
    try:
        while not context.stop.requested:
            try:
                for file in _settled_files(context, trouble):
                    importer.take(file)
                    pause = _FIRST_PAUSE
            except OSError as error:
                trouble.note(f"MonitorServer doesn't answer: {error.strerror or error}")
            context.stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
    finally:
        importer.close()
    return 0


def _settled_files(context: ServiceContext, trouble: Trouble) -> Iterator[DroppedFile]:
    """What MonitorServer tells of, until it ends the connection or the server shall stop.

    :raises OSError: if MonitorServer doesn't answer
    """
    path = context.instance.run_directory / _MONITOR_SOCKET
    with sockets.connect_unix(path, timeout=_READ_SECONDS) as connection:
        trouble.clear()
        rest = b""
        while not context.stop.requested:
            try:
                data = connection.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield DroppedFile(**json.loads(line))


class Importer:
    """Imports files one after the other.

    :param memory: what was dealt with before
    """

    def __init__(self, context: ServiceContext, memory: Memory) -> None:
        self._context = context
        self._memory = memory
        self._trouble = Trouble(context)

    def take(self, file: DroppedFile) -> None:
        """Import a file unless that was done; while Blitz doesn't answer, wait for it."""
        if self._memory.knows(file):
            return
        pause = _FIRST_PAUSE
        while not self._context.stop.requested and Path(file.path).exists():
            try:
                self._import(file)
            except AdminError as error:
                if error.exit_status is not ExitStatus.UNREACHABLE:
                    self._leave(file, error)
                    return
                self._trouble.note(error.message)
            else:
                self._trouble.clear()
                return
            self._context.stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _leave(self, file: DroppedFile, error: AdminError) -> None:
        """Files that can't be imported are forgotten only if something else than the file may change."""
        self._context.log.error("%s is not imported: %s", file.path, error.message)
        self._context.health.count("failed")
        if error.code in _HOPELESS:
            self._memory.remember(file)

    def _import(self, file: DroppedFile) -> None:
        client = InternalClient(self._context.instance)
        client.open_session(file.user, self._context.server_id)
        try:
            path = Path(file.path)
            # The memory may be older than the database, after a crash or a restore.
            if not self._memory.has_path(file) and is_imported(client, path):
                self._context.log.info("%s is imported already", file.path)
            else:
                images = import_file(client, path, agent=self._context.server_id)
                self._context.health.count("imported")
                named = ", ".join(f"Image:{image['id']}" for image in images)
                self._context.log.info("%s is imported for %s: %s", file.path, file.user, named)
            self._memory.remember(file)
        finally:
            with contextlib.suppress(AdminError):
                client.close_session()

    def close(self) -> None:
        """Close the memory."""
        self._memory.close()
