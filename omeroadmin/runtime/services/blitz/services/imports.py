"""Imports: an upload, a comparison of checksums, and everything that the database learns of it in one transaction."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.repository.checksums import negotiate, parse_supported
from omeroadmin.repository.path_rules import parse_path_rules, safe_relative_paths
from omeroadmin.repository.template_path import TemplateContext
from omeroadmin.runtime.services.blitz.database import Database, next_id
from omeroadmin.runtime.services.blitz.reading.readers import ImageReaders
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.importoptions import ImportOptions
from omeroadmin.runtime.services.blitz.services.importrows import Imported, write_import
from omeroadmin.runtime.services.blitz.services.levels import permission_text
from omeroadmin.runtime.services.blitz.services.permissions import require_data_group
from omeroadmin.runtime.services.blitz.services.problems import conflict, invalid, not_found
from omeroadmin.runtime.services.blitz.services.repositories import Repository
from omeroadmin.runtime.services.blitz.services.times import now
from omeroadmin.runtime.services.blitz.services.uploads import Receiver, Upload, UploadArea, UploadFile, verify_placed
from omeroadmin.schema.settings import Settings
from omeroadmin.schema.transfers import Transfer

_LOG = logging.getLogger("ome.services.blitz.repo.ManagedImport")
_MOST_FILES = 10_000
_LARGEST_FILE = 2**50
_FORGET_SECONDS = 3600.0


@dataclass(frozen=True)
class Announced:
    """A file that a client wants to send.

    :param size: bytes
    """

    client_path: str
    size: int


class Imports:
    """The imports that this Blitz is in the middle of."""

    def __init__(self, database: Database, settings: Settings, repository: Repository, server_id: str) -> None:
        self._database = database
        self._repository = repository
        self._area = UploadArea(repository.path, server_id)
        self._template = settings.text("omero.fs.repo.path")
        self._rules = parse_path_rules(settings.text("omero.fs.repo.path_rules"))
        self._algorithms = parse_supported(settings.text("omero.checksum.supported"))
        self._uploads: dict[int, Upload] = {}
        self._lock = threading.Lock()
        self._readers = ImageReaders()

    def begin(
        self,
        actor: Actor,
        announced: Sequence[Announced],
        algorithms: Sequence[str],
        transfer: Transfer = Transfer.UPLOAD,
    ) -> Upload:
        """Make room for an import.

        :param algorithms: checksum algorithms that the client has; empty: any
        :raises AdminError: ``request-invalid``, ``checksum-not-agreed``, ``file-name-invalid``, ``path-escapes``,
            ``template-invalid``, ``directory-name-too-long``, ``directory-not-created``, ``file-not-written``
        """
        require_data_group(actor)
        if not 0 < len(announced) <= _MOST_FILES:
            raise invalid(f"an import has 1 to {_MOST_FILES} files, not {len(announced)}")
        if any(not 0 <= file.size <= _LARGEST_FILE for file in announced):
            raise invalid("the size of a file is not a number of bytes")
        algorithm = negotiate(algorithms, self._algorithms)
        client_paths = [file.client_path for file in announced]
        paths = safe_relative_paths(client_paths, self._rules)
        with self._database.transaction() as connection:
            # A number that gets lost in a crash is no loss, so nobody waits for the disk.
            connection.execute("SET LOCAL synchronous_commit TO off")
            upload_id = next_id(connection, "job")
        context = self._template_context(actor, client_paths)
        in_place = transfer.is_in_place
        directory = self._area.make_directory(upload_id, self._template, context, in_place=in_place)
        files = [UploadFile(file.client_path, path, file.size) for file, path in zip(announced, paths, strict=True)]
        upload = Upload(upload_id, actor.user_id, actor.session_id, directory, algorithm, files, transfer)
        if in_place:
            try:
                self._area.prepare(upload)
            except AdminError:
                self._remove(upload)
                raise
        with self._lock:
            self._uploads[upload_id] = upload
        return upload

    def start_file(self, actor: Actor, import_id: int, index: int) -> Receiver:
        """Begin to receive a file; :meth:`end_file` must follow.

        :raises AdminError: ``not-found``, ``import-busy``
        """
        upload = self._upload(actor, import_id)
        with upload.lock:
            file = _file_of(upload, index)
            if upload.closed or file.busy:
                raise conflict("import-busy", f"file {index} of import {import_id} is being received already")
            if upload.transfer.is_in_place:
                raise invalid(f"the files of import {import_id} are put in their place, not sent")
            target, directory = self._area.path_of(upload, file), self._area.directory_of(upload)
            receiver = Receiver(target, directory, file.size, upload.algorithm)
            file.busy, file.hash = True, ""
            upload.touched = time.monotonic()
        return receiver

    def end_file(self, actor: Actor, import_id: int, index: int, receiver: Receiver, *, whole: bool) -> UploadFile:
        """The bytes have ended.

        :param whole: whether the client said so, or broke off
        :raises AdminError: ``size-mismatch``, ``not-found``
        """
        upload = self._upload(actor, import_id)
        file = _file_of(upload, index)
        try:
            digest = receiver.finish() if whole else ""
        finally:
            receiver.abandon()
            self._let_go(upload, file)
        file.hash = digest
        return file

    def _let_go(self, upload: Upload, file: UploadFile) -> None:
        """A file is not busy any more; where the import was given up meanwhile, it goes now."""
        with upload.lock:
            file.busy = False
            upload.touched = time.monotonic()
            gone = upload.closed
        if gone:
            self._remove(upload)
            raise not_found("import", upload.id)

    def verify_file(self, actor: Actor, import_id: int, index: int) -> UploadFile:
        """Look at a file that the client put in its place.

        :raises AdminError: ``not-found``, ``import-busy``, ``request-invalid``, ``file-not-placed``,
            ``size-mismatch``
        """
        upload = self._upload(actor, import_id)
        if not upload.transfer.is_in_place:
            raise invalid(f"the files of import {import_id} are sent, not put in their place")
        file = _file_of(upload, index)
        with upload.lock:
            if upload.closed or file.busy:
                raise conflict("import-busy", f"file {index} of import {import_id} is being looked at already")
            file.busy, file.hash = True, ""
        digest = ""
        try:
            path, may_link = self._area.path_of(upload, file), upload.transfer is Transfer.SYMBOLIC_LINK
            digest = verify_placed(path, file.size, upload.algorithm, may_link=may_link)
        finally:
            self._let_go(upload, file)
        file.hash = digest
        return file

    def directory_of(self, upload: Upload) -> Path:
        """Where a client puts the files of an import itself."""
        return self._area.directory_of(upload)

    def complete(self, actor: Actor, import_id: int, hashes: Sequence[str], options: ImportOptions) -> Imported:
        """Compare checksums, read the images and record everything; if that fails, nothing stays.

        :param hashes: the client's, in the order of the files
        :raises AdminError: ``not-found``, ``import-incomplete``, ``import-busy``, ``checksum-mismatch``,
            ``unreadable-image``, ``target-not-found``, ``target-unsuitable``, ``permission-denied``
        """
        upload = self._upload(actor, import_id)
        with upload.lock:
            if upload.closed or any(file.busy for file in upload.files):
                raise conflict("import-busy", f"import {import_id} is still being received")
            missing = [str(file.path) for file in upload.files if not file.hash]
            if missing:
                raise conflict("import-incomplete", f"import {import_id} lacks {', '.join(missing[:3])}")
            upload.closed, upload.received = True, now()
        try:
            imported = self._record(actor, upload, hashes, options)
        except BaseException:
            self._remove(upload)
            raise
        with self._lock:
            self._uploads.pop(import_id, None)
        self._area.forget(import_id)
        _LOG.info(
            "Imported fileset %d (%d images) by user %d", imported.fileset_id, len(imported.images), actor.user_id
        )
        return imported

    def cancel(self, actor: Actor, import_id: int) -> None:
        """Give an import up; its files are gone.

        :raises AdminError: ``not-found``
        """
        self._close(self._upload(actor, import_id))

    def cancel_abandoned(self) -> int:
        """Give up imports that nobody goes on with.

        :return: how many
        """
        limit = time.monotonic() - _FORGET_SECONDS
        with self._lock:
            old = [upload for upload in self._uploads.values() if upload.touched < limit and not upload.closed]
        idle = [upload for upload in old if not any(file.busy for file in upload.files)]
        for upload in idle:
            self._close(upload)
        return len(idle)

    def clean_up(self) -> int:
        """Remove what an earlier run of this server left behind when it was killed.

        :return: number of imports
        """
        left = self._area.left_behind()
        for upload_id, directory in left:
            row = self._database.row(
                "SELECT id FROM fileset WHERE starts_with(templateprefix, %(prefix)s) LIMIT 1",
                {"prefix": f"{directory}/"},
            )
            if row is None:
                self._area.discard(upload_id, directory)
            else:
                self._area.forget(upload_id)
        return len(left)

    def count(self) -> int:
        """Number of imports under way."""
        return len(self._uploads)

    def close(self) -> None:
        """End the processes that read images."""
        self._readers.close()

    def _record(self, actor: Actor, upload: Upload, hashes: Sequence[str], options: ImportOptions) -> Imported:
        # The session may have changed to another group since the import began.
        require_data_group(actor)
        if len(hashes) != len(upload.files):
            raise invalid(f"import {upload.id} has {len(upload.files)} files, and {len(hashes)} checksums came")
        for file, client_hash in zip(upload.files, hashes, strict=True):
            if file.hash != client_hash.strip().lower():
                raise conflict(
                    "checksum-mismatch",
                    f"{file.path}: the server has {upload.algorithm} {file.hash}, the client {client_hash[:64]}",
                )
        contents = self._readers.read([self._area.path_of(upload, file) for file in upload.files])
        self._area.sync(upload)
        with self._database.transaction() as connection:
            return write_import(connection, actor, self._repository, upload, contents, options)

    def _upload(self, actor: Actor, import_id: int) -> Upload:
        with self._lock:
            upload = self._uploads.get(import_id)
        if upload is None or upload.user_id != actor.user_id:
            raise not_found("import", import_id)
        return upload

    def _close(self, upload: Upload) -> None:
        with upload.lock:
            if upload.closed:
                return
            upload.closed = True
        self._remove(upload)

    def _remove(self, upload: Upload) -> None:
        if not any(file.busy for file in upload.files):
            self._area.discard(upload.id, upload.directory.path)
            with self._lock:
                self._uploads.pop(upload.id, None)

    def _template_context(self, actor: Actor, client_paths: Sequence[str]) -> TemplateContext:
        group = actor.group
        return TemplateContext(
            user=actor.user,
            user_id=actor.user_id,
            group=group.name,
            group_id=group.group_id,
            permissions=permission_text(group.permissions),
            # A directory's name is no place for a credential: this is as unique, and opens nothing.
            session=str(uuid.uuid5(uuid.NAMESPACE_OID, actor.key)),
            session_id=actor.session_id,
            moment=datetime.now().astimezone(),
            rules=self._rules,
            institution=actor.institution,
            thread=threading.current_thread().name,
            client_paths=tuple(client_paths),
        )


def _file_of(upload: Upload, index: int) -> UploadFile:
    if not 0 <= index < len(upload.files):
        raise not_found(f"file of import {upload.id} with index", index)
    return upload.files[index]
