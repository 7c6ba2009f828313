"""What a client wants of an import besides its files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Transfer(StrEnum):
    """How files get into the repository, by the names of ``omero import --transfer``."""

    UPLOAD = "upload"
    UPLOAD_REMOVE = "upload_rm"
    HARD_LINK = "ln"
    HARD_LINK_REMOVE = "ln_rm"
    SYMBOLIC_LINK = "ln_s"
    COPY = "cp"
    COPY_REMOVE = "cp_rm"

    @property
    def is_in_place(self) -> bool:
        """Whether the client puts the files in their place itself."""
        return self not in (Transfer.UPLOAD, Transfer.UPLOAD_REMOVE)

    @property
    def recorded_as(self) -> str:
        """What OMERO's annotation of a fileset says: the name of the importer's class."""
        return f"ome.formats.importer.transfers.{_CLASSES[self]}FileTransfer"


_CLASSES = {
    Transfer.UPLOAD: "Upload",
    Transfer.UPLOAD_REMOVE: "UploadRm",
    Transfer.HARD_LINK: "Hardlink",
    Transfer.HARD_LINK_REMOVE: "Move",
    Transfer.SYMBOLIC_LINK: "Symlink",
    Transfer.COPY: "Copy",
    Transfer.COPY_REMOVE: "CopyMove",
}

TRANSFER_NAMESPACE = "openmicroscopy.org/omero/import/fileTransfer"
"""Namespace of the annotation that says how a fileset was imported."""


class Skip(StrEnum):
    """What PixelData needn't make."""

    MINMAX = "minmax"
    THUMBNAILS = "thumbnails"


@dataclass(frozen=True)
class TargetId:
    """Where images or plates go.

    :param kind: ``Dataset`` or ``Screen``
    """

    kind: str
    id: int


@dataclass(frozen=True)
class Comment:
    """A comment on each image.

    :param namespace: empty: none
    """

    namespace: str
    text: str


@dataclass(frozen=True)
class ImportOptions:
    """Wishes for one import.

    :param name: for the images, instead of their own
    :param description: for the images, instead of their own
    :param comments: annotations of each image
    """

    name: str | None = None
    description: str | None = None
    target: TargetId | None = None
    comments: tuple[Comment, ...] = ()
    skip: frozenset[Skip] = frozenset()
