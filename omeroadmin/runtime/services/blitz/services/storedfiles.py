"""Files that the server makes itself, such as a script's output: rows of originalfile with content below ``Files``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from omeroadmin.repository.layout import original_file_path
from omeroadmin.runtime.services.blitz.database import Connection, Row, next_id
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.system import files

_INSERT = """
INSERT INTO originalfile (id, path, name, hash, hasher, size, mimetype, ctime, mtime,
                          permissions, creation_id, update_id, group_id, owner_id)
SELECT %(id)s, '/', %(name)s, %(hash)s, h.id, %(size)s, %(mimetype)s, timezone('UTC', now()), timezone('UTC', now()),
       %(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s
  FROM checksumalgorithm h WHERE h.value = 'SHA1-160'
"""


def store(
    connection: Connection,
    changes: Changes,
    data_directory: Path,
    *,
    name: str,
    mimetype: str,
    content: bytes,
    owner: Row,
) -> int:
    """Write a file and its row.

    :param owner: columns ``owner_id``, ``group_id``, ``event_id`` and ``permissions``, of :meth:`Changes.details`
    :return: its id
    :raises AdminError: ``file-not-written``
    """
    file_id = next_id(connection, "originalfile")
    path = original_file_path(data_directory, file_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(path, content, mode=0o640)
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    record(connection, changes, file_id, name=name, mimetype=mimetype, size=len(content), sha1=digest, owner=owner)
    return file_id


def record(
    connection: Connection,
    changes: Changes,
    file_id: int,
    *,
    name: str,
    mimetype: str,
    size: int,
    sha1: str,
    owner: Row,
) -> None:
    """The row of a file whose content is in its place.

    :param size: bytes
    """
    connection.execute(
        _INSERT, {"id": file_id, "name": name, "hash": sha1, "size": size, "mimetype": mimetype, **owner}
    )
    changes.log("INSERT", "OriginalFile", [file_id])


def read(data_directory: Path, file_id: int) -> str:
    """Content of a text file; empty where it is gone."""
    path = original_file_path(data_directory, file_id)
    return path.read_text("utf-8", "replace") if path.is_file() else ""
