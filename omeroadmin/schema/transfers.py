"""How the files of an import get into the repository: one list for client and server."""

from __future__ import annotations

from enum import StrEnum


class Transfer(StrEnum):
    """The ways, by the names of ``omero import --transfer``."""

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
    def removes_source(self) -> bool:
        """Whether the client's own file goes when the import is complete."""
        return self.value.endswith("_rm")

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
