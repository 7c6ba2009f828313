"""The rows of a complete import: fileset, files, jobs, images, pixels and channels."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from omeroadmin.repository.filesets import FilesetImage
from omeroadmin.repository.formats import format_of
from omeroadmin.repository.images import ImageMetadata
from omeroadmin.runtime.services.blitz.database import Connection, Ids, Row, together
from omeroadmin.runtime.services.blitz.reading.protocol import Contents
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.filestore.importlogs import write_log
from omeroadmin.runtime.services.blitz.services.importlinks import Links
from omeroadmin.runtime.services.blitz.services.importoptions import ImportOptions, Skip
from omeroadmin.runtime.services.blitz.services.repositories import Repository
from omeroadmin.runtime.services.blitz.services.times import now
from omeroadmin.runtime.services.blitz.services.uploads import Upload
from omeroadmin.version import VERSION

_LONGEST_NAME = 255
_COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
_GREY = (128, 128, 128)
_DETAILS = "permissions, creation_id, update_id, group_id, owner_id"
_DETAIL_VALUES = "%(permissions)s, %(event_id)s, %(event_id)s, %(group_id)s, %(owner_id)s"

# The columns of _DETAILS are constants; values are parameters.
_INSERT_FILESET = f"INSERT INTO fileset (id, templateprefix, {_DETAILS}) VALUES (%(id)s, %(prefix)s, {_DETAIL_VALUES})"  # noqa: S608
_INSERT_FILE = f"""
INSERT INTO originalfile (id, path, name, repo, hash, hasher, size, mimetype, ctime, mtime, {_DETAILS})
SELECT %(id)s, %(path)s, %(name)s, %(repo)s, %(hash)s, h.id, %(size)s, %(mimetype)s, %(now)s, %(now)s, {_DETAIL_VALUES}
  FROM checksumalgorithm h WHERE h.value = %(hasher)s
"""  # noqa: S608
_INSERT_ENTRY = f"""
INSERT INTO filesetentry (id, fileset, fileset_index, originalfile, clientpath, {_DETAILS})
VALUES (%(id)s, %(fileset)s, %(index)s, %(file)s, %(clientpath)s, {_DETAIL_VALUES})
"""  # noqa: S608
_INSERT_JOB = f"""
INSERT INTO job (id, type, status, username, groupname, submitted, scheduledfor, started, finished, message, {_DETAILS})
SELECT %(id)s, %(type)s, s.id, %(user)s, %(group)s, %(now)s, %(now)s, %(started)s, %(finished)s, '', {_DETAIL_VALUES}
  FROM jobstatus s WHERE s.value = %(status)s
"""  # noqa: S608
_INSERT_JOB_LINK = f"""
INSERT INTO filesetjoblink (id, parent, parent_index, child, {_DETAILS})
VALUES (%(id)s, %(fileset)s, %(index)s, %(job)s, {_DETAIL_VALUES})
"""  # noqa: S608
_INSERT_IMAGE = f"""
INSERT INTO image (id, name, description, acquisitiondate, archived, partial, series, fileset, format, {_DETAILS})
SELECT %(id)s, %(name)s, %(description)s, %(now)s, false, false, %(series)s, %(fileset)s,
       (SELECT f.id FROM format f WHERE f.value = %(format)s), {_DETAIL_VALUES}
"""  # noqa: S608
_INSERT_PIXELS = f"""
INSERT INTO pixels (id, image, image_index, sizex, sizey, sizez, sizec, sizet, pixelstype, dimensionorder,
                    significantbits, sha1, path, name, repo, {_DETAILS})
SELECT %(id)s, %(image)s, 0, %(x)s, %(y)s, %(z)s, %(c)s, %(t)s, p.id, d.id, %(bits)s, %(sha1)s, %(path)s,
       %(filename)s, %(repo)s, {_DETAIL_VALUES}
  FROM pixelstype p, dimensionorder d WHERE p.value = %(type)s AND d.value = %(order)s
"""  # noqa: S608
_INSERT_LOGICAL = f"""
INSERT INTO logicalchannel (id, name, samplesperpixel, {_DETAILS}) VALUES (%(id)s, %(name)s, 1, {_DETAIL_VALUES})
"""  # noqa: S608
_INSERT_CHANNEL = f"""
INSERT INTO channel (id, pixels, pixels_index, logicalchannel, red, green, blue, alpha, {_DETAILS})
VALUES (%(id)s, %(pixels)s, %(index)s, %(logical)s, %(red)s, %(green)s, %(blue)s, 255, {_DETAIL_VALUES})
"""  # noqa: S608

_JOBS = (
    ("UploadJob", "Finished"),
    ("MetadataImportJob", "Finished"),
    ("PixelDataJob", "Submitted"),
    ("ThumbnailGenerationJob", "Submitted"),
)
_SKIPPED_JOBS = {"PixelDataJob": Skip.MINMAX, "ThumbnailGenerationJob": Skip.THUMBNAILS}
"""Jobs that are cancelled from the start, which tells PixelData what not to make."""


@dataclass(frozen=True)
class ImportedImage:
    """An image that an import made."""

    id: int
    name: str
    pixels_id: int


@dataclass(frozen=True)
class Imported:
    """A complete import.

    :param plates: ids of the plates that its metadata told of
    """

    fileset_id: int
    images: tuple[ImportedImage, ...]
    plates: tuple[int, ...] = ()


def write_import(
    connection: Connection,
    actor: Actor,
    repository: Repository,
    upload: Upload,
    contents: Contents,
    options: ImportOptions,
) -> Imported:
    """Insert everything that an import makes, in the transaction of the connection.

    :raises AdminError: as :meth:`Links.target` and :meth:`Links.annotations`
    """
    changes = Changes(connection, actor, "Import")
    ids = Ids(connection, _counts(upload, contents, options))
    writer = _Writer(connection, changes, upload, repository.uuid, options, ids)
    links = Links(connection, actor, changes, ids)
    fileset_id = ids.one("fileset")
    with together(connection):
        connection.execute(_INSERT_FILESET, {"id": fileset_id, "prefix": upload.directory.prefix, **changes.details()})
        changes.log("INSERT", "Fileset", [fileset_id])
        writer.files(fileset_id)
        images = writer.images(fileset_id, contents.images)
        image_ids = [image.id for image in images]
        plate_ids = links.plates(contents.plates, images[0].name)
        links.target(options.target, image_ids, plate_ids)
        links.comments(options.comments, image_ids)
        links.annotations(options.annotation_ids, image_ids)
        links.transfer(upload.transfer, fileset_id)
        # Last, because their times tell how long all this took.
        writer.jobs(fileset_id, actor)
        write_log(connection, changes, (repository.uuid, repository.path), upload, image_ids, ids)
    return Imported(fileset_id, images, tuple(plate_ids))


def _counts(upload: Upload, contents: Contents, options: ImportOptions) -> dict[str, int]:
    """How many rows of which table an import makes."""
    files, images = len(upload.files), len(contents.images)
    channels = sum(image.metadata.size_c for image in contents.images)
    return {
        "fileset": 1,
        "originalfile": files + 1,
        "filesetentry": files,
        "job": len(_JOBS) - 1,
        "filesetjoblink": len(_JOBS),
        "joboriginalfilelink": 1,
        "image": images,
        "pixels": images,
        "logicalchannel": channels,
        "channel": channels,
        "annotation": 1 + len(options.comments),
        "filesetannotationlink": 1,
        "imageannotationlink": images * (len(options.comments) + len(options.annotation_ids)),
        "plate": len(contents.plates),
    }


class _Writer:
    """Inserts for one upload."""

    def __init__(
        self,
        connection: Connection,
        changes: Changes,
        upload: Upload,
        repository_uuid: str,
        options: ImportOptions,
        ids: Ids,
    ) -> None:
        self._options = options
        self._ids = ids
        self._connection = connection
        self._changes = changes
        self._upload = upload
        self._repository_uuid = repository_uuid
        self._details = changes.details()
        self._now = now()

    def files(self, fileset_id: int) -> None:
        count = len(self._upload.files)
        file_ids = self._ids.take("originalfile", count)
        entry_ids = self._ids.take("filesetentry", count)
        files: list[Row] = []
        entries: list[Row] = []
        for index, file in enumerate(self._upload.files):
            path, filename = self._place(index)
            files.append(
                {
                    "id": file_ids[index],
                    "path": path,
                    "name": filename,
                    "repo": self._repository_uuid,
                    "hash": file.hash,
                    "hasher": self._upload.algorithm,
                    "size": file.size,
                    "mimetype": mimetypes.guess_type(filename)[0] or "application/octet-stream",
                    "now": self._now,
                    **self._details,
                }
            )
            entries.append(
                {
                    "id": entry_ids[index],
                    "fileset": fileset_id,
                    "index": index,
                    "file": file_ids[index],
                    "clientpath": file.client_path.lstrip("/"),
                    **self._details,
                }
            )
        with self._connection.cursor() as cursor:
            cursor.executemany(_INSERT_FILE, files)
            cursor.executemany(_INSERT_ENTRY, entries)
        self._changes.log("INSERT", "OriginalFile", list(file_ids))

    def jobs(self, fileset_id: int, actor: Actor) -> None:
        ids = [self._upload.id, *self._ids.take("job", len(_JOBS) - 1)]
        links = self._ids.take("filesetjoblink", len(_JOBS))
        for index, ((entity, usual), job_id) in enumerate(zip(_JOBS, ids, strict=True)):
            table = entity.lower()
            started, finished = self._span(entity)
            status = "Cancelled" if _SKIPPED_JOBS.get(entity) in self._options.skip else usual
            self._connection.execute(
                _INSERT_JOB,
                {
                    "id": job_id,
                    "type": entity,
                    "status": status,
                    "user": actor.user,
                    "group": actor.group.name,
                    "now": self._now,
                    "started": started if status in ("Finished", "Cancelled") else None,
                    "finished": finished if status in ("Finished", "Cancelled") else None,
                    **self._details,
                },
            )
            self._connection.execute(f"INSERT INTO {table} (job_id) VALUES (%s)", (job_id,))  # noqa: S608 - a constant
            self._connection.execute(
                _INSERT_JOB_LINK,
                {"id": links[index], "fileset": fileset_id, "index": index, "job": job_id, **self._details},
            )
            self._changes.log("INSERT", entity, [job_id])
        self._connection.execute(
            "INSERT INTO metadataimportjob_versioninfo (metadataimportjob_id, name, value, index)"
            " VALUES (%s, 'omeroadmin', %s, 0)",
            (ids[1], VERSION),
        )

    def _span(self, entity: str) -> tuple[datetime, datetime]:
        """When a job that is finished began and ended."""
        if entity == "UploadJob":
            return self._upload.began, self._upload.received
        return (self._upload.received if entity == "MetadataImportJob" else self._now), now()

    def images(self, fileset_id: int, metadata: Sequence[FilesetImage]) -> tuple[ImportedImage, ...]:
        image_ids = self._ids.take("image", len(metadata))
        pixels_ids = self._ids.take("pixels", len(metadata))
        images = []
        for number, found in enumerate(metadata):
            image = found.metadata
            own = _image_name(image.name, self._options.name, alone=len(metadata) == 1)
            path, filename = self._place(found.file)
            self._connection.execute(
                _INSERT_IMAGE,
                {
                    "id": image_ids[number],
                    "name": own,
                    "description": self._options.description or image.description or None,
                    "now": self._now,
                    "series": image.series,
                    "fileset": fileset_id,
                    "format": getattr(format_of(filename), "name", "Unknown"),
                    **self._details,
                },
            )
            self._pixels(pixels_ids[number], image_ids[number], image, path, filename)
            images.append(ImportedImage(image_ids[number], own, pixels_ids[number]))
        self._changes.log("INSERT", "Image", list(image_ids))
        self._changes.log("INSERT", "Pixels", list(pixels_ids))
        # What PixelData waits for.
        self._changes.log("PIXELDATA", "Pixels", list(pixels_ids))
        return tuple(images)

    def _pixels(self, pixels_id: int, image_id: int, image: ImageMetadata, path: str, filename: str) -> None:
        self._connection.execute(
            _INSERT_PIXELS,
            {
                "id": pixels_id,
                "image": image_id,
                "x": image.size_x,
                "y": image.size_y,
                "z": image.size_z,
                "c": image.size_c,
                "t": image.size_t,
                "bits": image.significant_bits,
                "sha1": "Pending...",
                "path": path,
                "filename": filename,
                "repo": self._repository_uuid,
                "type": image.pixel_type,
                "order": image.dimension_order,
                **self._details,
            },
        )
        logical = self._ids.take("logicalchannel", image.size_c)
        channels = self._ids.take("channel", image.size_c)
        rows: list[Row] = []
        for index in range(image.size_c):
            red, green, blue = _colour(image, index)
            rows.append(
                {
                    "id": channels[index],
                    "pixels": pixels_id,
                    "index": index,
                    "logical": logical[index],
                    "name": _channel_name(image, index),
                    "red": red,
                    "green": green,
                    "blue": blue,
                    **self._details,
                }
            )
        with self._connection.cursor() as cursor:
            cursor.executemany(_INSERT_LOGICAL, [{**row, "id": row["logical"]} for row in rows])
            cursor.executemany(_INSERT_CHANNEL, rows)

    def _place(self, index: int) -> tuple[str, str]:
        whole = self._upload.directory.path / self._upload.files[index].path
        return f"{whole.parent}/", whole.name


def _image_name(own: str, given: str | None, *, alone: bool) -> str:
    if not given:
        return own[:_LONGEST_NAME]
    return (given if alone else f"{given} [{own}]")[:_LONGEST_NAME]


def _channel_name(image: ImageMetadata, index: int) -> str | None:
    names = image.channel_names
    return names[index][:_LONGEST_NAME] or None if index < len(names) else None


def _colour(image: ImageMetadata, index: int) -> tuple[int, int, int]:
    if image.size_c == 1:
        return _GREY
    return _COLOURS[index % len(_COLOURS)]
