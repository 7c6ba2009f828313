"""Reads what clients list and look at; each query gives an actor only what this actor may see."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import failed_error
from omeroadmin.repository.layout import thumbnail_path
from omeroadmin.runtime.services.blitz.database import Database, Row
from omeroadmin.runtime.services.blitz.services.actor import Actor, visible
from omeroadmin.runtime.services.blitz.services.filestore.places import NO_CONTENT, Places
from omeroadmin.runtime.services.blitz.services.filestore.policy import PROPERTY, DownloadPolicy
from omeroadmin.runtime.services.blitz.services.problems import denied, not_found
from omeroadmin.runtime.services.blitz.services.repositories import Repositories
from omeroadmin.schema.settings import Settings

# Conditions come from visible(), which knows constants only.
_IMAGES = f"""
SELECT i.id, i.name, i.fileset AS fileset_id, e.omename AS owner, g.name AS "group",
       p.sizex AS size_x, p.sizey AS size_y, p.sizez AS size_z, p.sizec AS size_c, p.sizet AS size_t,
       t.value AS pixel_type, coalesce(c.names, ARRAY[]::varchar[]) AS channels,
       coalesce(f.number, 0) AS files, coalesce(f.size, 0)::bigint AS size
  FROM image i
  JOIN experimenter e ON e.id = i.owner_id
  JOIN experimentergroup g ON g.id = i.group_id
  LEFT JOIN pixels p ON p.image = i.id AND p.image_index = 0
  LEFT JOIN pixelstype t ON t.id = p.pixelstype
  LEFT JOIN LATERAL (
       SELECT array_agg(coalesce(l.name, '') ORDER BY n.pixels_index) AS names
         FROM channel n JOIN logicalchannel l ON l.id = n.logicalchannel WHERE n.pixels = p.id) c ON true
  LEFT JOIN LATERAL (
       SELECT count(*) AS number, sum(o.size) AS size
         FROM filesetentry x JOIN originalfile o ON o.id = x.originalfile WHERE x.fileset = i.fileset) f ON true
 WHERE {visible("i")}
"""  # noqa: S608
_IMAGE_FILES = f"""
SELECT o.id, o.path, o.name, o.size, o.hash, h.value AS hasher
  FROM image i
  JOIN filesetentry x ON x.fileset = i.fileset
  JOIN originalfile o ON o.id = x.originalfile
  LEFT JOIN checksumalgorithm h ON h.id = o.hasher
 WHERE i.id = %(id)s AND {visible("i")} ORDER BY x.fileset_index
"""  # noqa: S608
_FILE = f"""
SELECT o.id, o.path, o.name, o.repo, o.mimetype, o.size, o.hash, h.value AS hasher,
       o.owner_id, o.group_id, g.permissions AS group_permissions,
       (SELECT c.value FROM experimentergroup_config c
         WHERE c.experimentergroup_id = g.id AND c.name = %(policy)s ORDER BY c.index LIMIT 1) AS group_policy,
       EXISTS (SELECT FROM filesetentry x WHERE x.originalfile = o.id) AS of_image
  FROM originalfile o
  JOIN experimentergroup g ON g.id = o.group_id
  LEFT JOIN checksumalgorithm h ON h.id = o.hasher
 WHERE o.id = %(id)s AND {visible("o")}
"""  # noqa: S608
_THUMBNAIL = f"""
SELECT n.id FROM image i JOIN pixels p ON p.image = i.id AND p.image_index = 0 JOIN thumbnail n ON n.pixels = p.id
 WHERE i.id = %(id)s AND {visible("i")}
 ORDER BY abs(greatest(n.sizex, n.sizey) - %(size)s), n.id DESC LIMIT 1
"""  # noqa: S608
_CLIENT_PATHS = f"""
SELECT x.clientpath, max(x.fileset) AS fileset_id FROM filesetentry x JOIN fileset s ON s.id = x.fileset
 WHERE x.clientpath = ANY(%(paths)s) AND {visible("s")} GROUP BY x.clientpath
"""  # noqa: S608
_FILE_NAMES = f"""
SELECT o.name, max(x.fileset) AS fileset_id FROM filesetentry x
  JOIN fileset s ON s.id = x.fileset JOIN originalfile o ON o.id = x.originalfile
 WHERE o.name = ANY(%(names)s) AND {visible("s")} GROUP BY o.name
"""  # noqa: S608


@dataclass(frozen=True)
class Page:
    """Some rows of a listing.

    :param next: id to continue after; ``None`` at the end
    """

    rows: list[Row]
    next: int | None


@dataclass(frozen=True)
class StoredFile:
    """A file on the server's disk."""

    path: Path
    name: str
    mimetype: str


def stored_client_path(path: str) -> str:
    """The form of a client's path that the database keeps: without the leading slash, as OMERO does."""
    return path.lstrip("/")


class Query:
    """Everything that only reads."""

    def __init__(self, database: Database, settings: Settings, repositories: Repositories) -> None:
        self._database = database
        self._data_directory = settings.data_directory
        self._policy = DownloadPolicy(settings.text(PROPERTY))
        self._places = Places(settings.data_directory, repositories)

    def image(self, actor: Actor, image_id: int) -> Row:
        """One image.

        :raises AdminError: ``not-found``
        """
        row = self._database.row(f"{_IMAGES} AND i.id = %(id)s", {"id": image_id, **actor.visibility()})
        if row is None:
            raise not_found("image", image_id)
        return row

    def image_files(self, actor: Actor, image_id: int) -> list[Row]:
        """The files that an image was imported from.

        :raises AdminError: ``not-found``
        """
        self.image(actor, image_id)
        return self._database.rows(_IMAGE_FILES, {"id": image_id, **actor.visibility()})

    def file_row(self, actor: Actor, file_id: int) -> Row:
        """What is recorded of a file.

        :raises AdminError: ``not-found``
        """
        row = self._database.row(_FILE, {"id": file_id, "policy": PROPERTY, **actor.visibility()})
        if row is None or row["mimetype"] in NO_CONTENT:
            raise not_found("file", file_id)
        return row

    def file(self, actor: Actor, file_id: int) -> StoredFile:
        """Where a file's content is.

        :raises AdminError: ``not-found``, ``path-escapes``, ``permission-denied`` where ``omero.policy.binary_access``
            forbids it
        """
        row = self.file_row(actor, file_id)
        if not self._policy.allows(actor, row):
            raise denied(f"download of OriginalFile:{file_id} is restricted: {PROPERTY} doesn't allow it")
        path = self._places.of(row)
        if path is None:
            raise not_found("file", file_id)
        if not path.is_file():
            raise not_found("content of file", file_id)
        return StoredFile(path, row["name"], row["mimetype"] or "application/octet-stream")

    def thumbnail(self, actor: Actor, image_id: int, size: int) -> bytes:
        """The thumbnail nearest in size, as JPEG.

        :param size: pixels of the longer side
        :raises AdminError: ``not-found``, ``thumbnail-missing``
        """
        row = self._database.row(_THUMBNAIL, {"id": image_id, "size": size, **actor.visibility()})
        if row:
            # Not looked for before it is read: it may be deleted, or made anew, in between.
            with contextlib.suppress(FileNotFoundError):
                return thumbnail_path(self._data_directory, row["id"]).read_bytes()
        self.image(actor, image_id)
        raise failed_error("thumbnail-missing", f"image {image_id} has no thumbnail yet")

    def known_client_paths(self, actor: Actor, paths: Sequence[str]) -> list[tuple[str, int]]:
        """Those paths that were imported, with their filesets."""
        wanted = {stored_client_path(path): path for path in paths}
        rows = self._database.rows(_CLIENT_PATHS, {"paths": list(wanted), **actor.visibility()})
        return [(wanted[row["clientpath"]], row["fileset_id"]) for row in rows]

    def known_file_names(self, actor: Actor, names: Sequence[str]) -> list[tuple[str, int]]:
        """Those names that files of complete imports have, with their filesets."""
        rows = self._database.rows(_FILE_NAMES, {"names": list(names), **actor.visibility()})
        return [(row["name"], row["fileset_id"]) for row in rows]
