"""The images of files that belong together: each image once, whichever of the files tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.formats import is_image_name
from omeroadmin.repository.images import ImageMetadata, read_metadata
from omeroadmin.repository.ome_tiff import is_companion


@dataclass(frozen=True)
class FilesetImage:
    """An image of a fileset.

    :param file: number of the file that tells of it
    """

    file: int
    metadata: ImageMetadata


def read_fileset(paths: Sequence[Path]) -> tuple[FilesetImage, ...]:
    """The images of all files; files beside an image need not be images.

    :param paths: the files, in their order
    :raises AdminError: ``unreadable-image`` for a file that should be an image by its name, and where there is none,
        ``file-not-read``
    """
    found: list[FilesetImage] = []
    used: set[Path] = set()
    unreadable: AdminError | None = None
    for number in sorted(range(len(paths)), key=lambda number: not is_companion(paths[number])):
        path = paths[number]
        if path in used:
            continue
        try:
            images = read_metadata(path)
        except AdminError as error:
            if error.code != "unreadable-image" or is_image_name(path.name) or is_companion(path):
                raise
            unreadable = unreadable or error
            continue
        found.extend(FilesetImage(number, image) for image in images)
        used.update(path.with_name(name) for image in images for name in image.files)
    if not found:
        raise unreadable or failed_error("unreadable-image", "the import holds no image")
    return tuple(found)
