"""The log that an import leaves beside its directory: a file of the repository, linked to the import's upload job."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from omeroadmin.runtime.services.blitz.database import Connection, Database, Ids, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.filestore.places import LOG_MIMETYPE
from omeroadmin.runtime.services.blitz.services.problems import conflict, not_found
from omeroadmin.runtime.services.blitz.services.times import now
from omeroadmin.runtime.services.blitz.services.uploads import Upload
from omeroadmin.system import files

_LOGGER = "ome.services.blitz.repo.ManagedImport"
_MODE = 0o640
_DETAILS = "permissions, creation_id, update_id, group_id, owner_id"
_DETAIL_VALUES = "%(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s"

# Conditions come from visible() and from constants here; values are parameters.
_INSERT_LOG = f"""
INSERT INTO originalfile (id, path, name, repo, hash, hasher, size, mimetype, ctime, mtime, {_DETAILS})
SELECT %(id)s, %(path)s, %(name)s, %(repo)s, %(hash)s, h.id, %(size)s, %(mimetype)s, %(now)s, %(now)s, {_DETAIL_VALUES}
  FROM checksumalgorithm h WHERE h.value = 'SHA1-160'
"""  # noqa: S608
_INSERT_LINK = f"""
INSERT INTO joboriginalfilelink (id, parent, child, {_DETAILS})
VALUES (%(id)s, %(job)s, %(file)s, {_DETAIL_VALUES})
"""  # noqa: S608
_FILESET = f"SELECT s.id FROM fileset s WHERE s.id = %(id)s AND {visible('s')}"  # noqa: S608
_LOG = f"""
SELECT o.id, o.path, o.name, o.size FROM filesetjoblink k
  JOIN joboriginalfilelink l ON l.parent = k.child
  JOIN originalfile o ON o.id = l.child
 WHERE k.parent = %(id)s AND o.mimetype = %(mimetype)s AND {visible("o")} ORDER BY o.id LIMIT 1
"""  # noqa: S608


def log_path(directory: PurePosixPath) -> PurePosixPath:
    """Where the log of an import is: beside its directory, with ``.log`` after the name.

    :param directory: of the import
    """
    return directory.with_name(f"{directory.name}.log")


def write_log(
    connection: Connection,
    changes: Changes,
    repository: tuple[str, Path],
    upload: Upload,
    images: Sequence[int],
    ids: Ids,
) -> None:
    """Write the log of an import and its row, in the import's transaction.

    :param repository: uuid and root
    :param images: ids of the images that were made
    :param ids: one of originalfile and one of joboriginalfilelink are taken
    :raises AdminError: ``file-not-written``
    """
    repository_uuid, root = repository
    relative = log_path(upload.directory.path)
    content = "".join(f"{line}\n" for line in _lines(upload, images)).encode()
    _write(files.inside(root, str(relative)), content)
    file_id = ids.one("originalfile")
    details = changes.details()
    connection.execute(
        _INSERT_LOG,
        {
            "id": file_id,
            "path": "/" if relative.parent == PurePosixPath() else f"{relative.parent}/",
            "name": relative.name,
            "repo": repository_uuid,
            "hash": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
            "size": len(content),
            "mimetype": LOG_MIMETYPE,
            "now": now(),
            **details,
        },
    )
    connection.execute(
        _INSERT_LINK, {"id": ids.one("joboriginalfilelink"), "job": upload.id, "file": file_id, **details}
    )
    changes.log("INSERT", "OriginalFile", [file_id])


def _write(path: Path, content: bytes) -> None:
    """Without a temporary file, which a kill would leave: until the commit the import's marker has the log removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, _MODE), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        files.sync_directory(path.parent)
    except OSError as error:
        raise files.file_error("written", path, error) from error


def _lines(upload: Upload, images: Sequence[int]) -> Iterable[str]:
    """What happened, in the format of the server's own logs."""
    yield _line(upload.began, f"Import of {len(upload.files)} file(s) as {upload.directory.prefix}")
    for file in upload.files:
        what = f"{file.size} bytes, {upload.algorithm} {file.hash}, from {file.client_path!r}"
        yield _line(upload.received, f"{file.path}: {what}")
    yield _line(upload.received, f"All files are there ({upload.transfer.value}); reading metadata")
    yield _line(now(), f"Made {len(images)} image(s): {', '.join(map(str, images))}")


def _line(moment: datetime, message: str) -> str:
    local = moment.replace(tzinfo=UTC).astimezone()
    stamp = f"{local:%Y-%m-%d %H:%M:%S},{local.microsecond // 1000:03d}"
    return f"{stamp} INFO  [{_LOGGER:>40.40}] (    import) {message}"


class ImportLogs:
    """Finds the logs of imports."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, actor: Actor, fileset_id: int) -> Row:
        """The log of a fileset's import: ``id``, ``path``, ``name``, ``size``.

        :raises AdminError: ``not-found``, ``log-missing``
        """
        values = {"id": fileset_id, "mimetype": LOG_MIMETYPE, **actor.visibility()}
        if self._database.row(_FILESET, values) is None:
            raise not_found("fileset", fileset_id)
        row = self._database.row(_LOG, values)
        if row is None:
            raise conflict("log-missing", f"there is no log of the import of Fileset:{fileset_id}")
        return row
