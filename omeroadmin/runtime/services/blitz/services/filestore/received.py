"""Files that clients upload by themselves, such as attachments: rows of originalfile with content below ``Files``.

A file is received beside its place and gets there, with its row, when the client's checksum fits. What a server that
was killed had received is removed at its next start.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.errors import failed_error
from omeroadmin.repository.layout import original_file_path
from omeroadmin.runtime.services.blitz.database import Database, next_id
from omeroadmin.runtime.services.blitz.services import storedfiles
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.permissions import require_data_group
from omeroadmin.runtime.services.blitz.services.problems import conflict, invalid, not_found
from omeroadmin.runtime.services.blitz.services.servertypes import require_clients_mimetype
from omeroadmin.runtime.services.blitz.services.uploads import Receiver
from omeroadmin.system import files

ALGORITHM = "SHA1-160"
_DIRECTORY_MODE = 0o750
_LARGEST_FILE = 2**50
_FORGET_SECONDS = 3600.0


@dataclass
class Pending:
    """A file that isn't complete.

    :param id: that it will have
    :param size: bytes announced
    :param hash: what the server computed; empty until all bytes are there
    """

    id: int
    user_id: int
    name: str
    mimetype: str
    size: int
    hash: str = ""
    busy: bool = False
    touched: float = field(default_factory=time.monotonic)


class Received:
    """The uploads that this Blitz is in the middle of.

    :param data_directory: ``omero.data.dir``
    """

    def __init__(self, database: Database, data_directory: Path, server_id: str) -> None:
        self._database = database
        self._data_directory = data_directory
        self._area = data_directory / "Files" / ".uploads.tmp" / server_id
        self._pending: dict[int, Pending] = {}
        self._lock = threading.Lock()

    def begin(self, actor: Actor, name: str, mimetype: str, size: int) -> Pending:
        """An id for a new file.

        :param size: bytes
        :raises AdminError: ``request-invalid``, ``permission-denied``
        """
        if "/" in name or name in (".", ".."):
            raise invalid("the name of a file has no folders in it")
        if size > _LARGEST_FILE:
            raise invalid(f"a file has at most {_LARGEST_FILE} bytes")
        require_clients_mimetype(mimetype)
        require_data_group(actor)
        with self._database.transaction() as connection:
            pending = Pending(next_id(connection, "originalfile"), actor.user_id, name, mimetype, size)
        with self._lock:
            self._pending[pending.id] = pending
        return pending

    def start(self, actor: Actor, file_id: int) -> Receiver:
        """Begin to receive the bytes; :meth:`end` must follow.

        :raises AdminError: ``not-found``, ``upload-busy``, ``directory-not-created``, ``file-not-written``
        """
        pending = self._take(actor, file_id)
        pending.hash = ""
        try:
            files.make_directory(self._area, mode=0o700)
            return Receiver(self._path(file_id), self._area, pending.size, ALGORITHM)
        except BaseException:
            self._let_go(pending)
            raise

    def end(self, file_id: int, receiver: Receiver, *, whole: bool) -> Pending:
        """The bytes have ended.

        :param whole: whether the client said so, or broke off
        :raises AdminError: ``size-mismatch``, ``file-not-written``
        """
        with self._lock:
            pending = self._pending[file_id]
        try:
            pending.hash = receiver.finish() if whole else ""
        finally:
            receiver.abandon()
            self._let_go(pending)
        return pending

    def complete(self, actor: Actor, file_id: int, client_hash: str) -> None:
        """Compare checksums, put the file in its place and record it; if that fails, nothing stays.

        :raises AdminError: ``not-found``, ``upload-busy``, ``upload-incomplete``, ``checksum-mismatch``,
            ``file-not-written``
        """
        pending = self._take(actor, file_id)
        if not pending.hash:
            self._let_go(pending)
            raise conflict("upload-incomplete", f"the bytes of upload {file_id} haven't come")
        try:
            if pending.hash != client_hash.strip().lower():
                raise conflict(
                    "checksum-mismatch",
                    f"{pending.name}: the server has {ALGORITHM} {pending.hash}, the client {client_hash[:64]}",
                )
            self._record(actor, pending)
        finally:
            self._forget(pending)

    def cancel(self, actor: Actor, file_id: int) -> None:
        """Give an upload up.

        :raises AdminError: ``not-found``, ``upload-busy``
        """
        self._forget(self._take(actor, file_id))

    def cancel_abandoned(self) -> int:
        """Give up uploads that nobody goes on with.

        :return: how many
        """
        limit = time.monotonic() - _FORGET_SECONDS
        with self._lock:
            old = [one for one in self._pending.values() if one.touched < limit and not one.busy]
            for one in old:
                one.busy = True
        for one in old:
            self._forget(one)
        return len(old)

    def clean_up(self) -> None:
        """Remove what an earlier run of this server had received."""
        shutil.rmtree(self._area, ignore_errors=True)

    def _record(self, actor: Actor, pending: Pending) -> None:
        target = original_file_path(self._data_directory, pending.id)
        with self._database.transaction() as connection:
            changes = Changes(connection, actor)
            storedfiles.record(
                connection,
                changes,
                pending.id,
                name=pending.name,
                mimetype=pending.mimetype,
                size=pending.size,
                sha1=pending.hash,
                owner=changes.details(),
            )
            # Last: if the commit fails now, a file without a row is left, which does no harm; never the reverse.
            self._place(pending, target)

    def _place(self, pending: Pending, target: Path) -> None:
        try:
            target.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
            self._path(pending.id).rename(target)
            files.sync_directory(target.parent)
        except OSError as error:
            raise failed_error("file-not-written", f"{pending.name} can't be stored: {error.strerror}") from error

    def _path(self, file_id: int) -> Path:
        return self._area / str(file_id)

    def _take(self, actor: Actor, file_id: int) -> Pending:
        with self._lock:
            pending = self._pending.get(file_id)
            if pending is None or pending.user_id != actor.user_id:
                raise not_found("upload", file_id)
            if pending.busy:
                raise conflict("upload-busy", f"upload {file_id} is being received already")
            pending.busy = True
            return pending

    def _let_go(self, pending: Pending) -> None:
        with self._lock:
            pending.busy = False
            pending.touched = time.monotonic()

    def _forget(self, pending: Pending) -> None:
        with self._lock:
            self._pending.pop(pending.id, None)
        with contextlib.suppress(OSError):
            self._path(pending.id).unlink(missing_ok=True)
