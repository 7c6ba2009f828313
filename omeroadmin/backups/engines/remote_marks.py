"""Who reads which snapshots where there are files only: a file per reader that names them, and is kept fresh.

A mark is stale as a lock is: its maker ran on this machine and has ended, or hasn't refreshed it for a while.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from omeroadmin.backups.engines.remote_files import RemoteFiles
from omeroadmin.backups.engines.remote_lock import REFRESH, holder_text, is_stale, read_document, this_process
from omeroadmin.errors import AdminError
from omeroadmin.system.clock import utc_stamp


class RemoteMarks:
    """The marks in a directory of another host.

    :param directory: for nothing else
    """

    def __init__(self, remote: RemoteFiles, directory: str) -> None:
        self._remote = remote
        self._directory = directory

    @contextlib.contextmanager
    def left(self, ids: Sequence[str]) -> Iterator[None]:
        """Leave a mark for the length of the block; where this user may not write there, the block goes on without.

        :raises AdminError: those of the connection
        """
        path = f"{self._directory}/{secrets.token_hex(8)}"
        content = json.dumps({**this_process(), "since": utc_stamp(), "snapshots": list(ids)}).encode()
        try:
            self._remote.make_directory(self._directory)
            self._remote.create(path, [content])
        except AdminError as error:
            if error.code != "backup-not-written":
                raise
            yield
            return
        ended = threading.Event()
        refresher = threading.Thread(target=self._refresh, args=(path, content, ended), name="mark", daemon=True)
        refresher.start()
        try:
            yield
        finally:
            ended.set()
            refresher.join()
            # That of a process which is cut off goes stale.
            with contextlib.suppress(AdminError):
                self._remote.remove(path)

    def _refresh(self, path: str, content: bytes, ended: threading.Event) -> None:
        while not ended.wait(REFRESH):
            with contextlib.suppress(AdminError, FileNotFoundError):
                self._remote.overwrite(path, content)

    def users(self, *, clean: bool) -> dict[str, str]:
        """Who reads which snapshot, in words, by its id.

        :param clean: whether stale marks are removed
        :raises AdminError: ``file-not-read``, ``file-not-removed`` and those of the connection
        """
        found: dict[str, str] = {}
        for item in self._remote.list(self._directory):
            path = f"{self._directory}/{item.name}"
            try:
                content = self._remote.read(path)
            except FileNotFoundError:
                continue
            if is_stale(self._remote, path, content):
                if clean:
                    self._remote.remove(path)
                continue
            document = read_document(content)
            found.update(dict.fromkeys(_ids(document), holder_text(document)))
        return found


def _ids(document: dict[str, Any]) -> list[str]:
    ids = document.get("snapshots")
    return [name for name in ids if isinstance(name, str)] if isinstance(ids, list) else []
