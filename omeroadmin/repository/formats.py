"""The formats of image files, each declared once: names, first bytes, and what OMERO calls them."""

from __future__ import annotations

from dataclasses import dataclass

START = 32
"""Bytes of a file that tell its format."""


@dataclass(frozen=True)
class Format:
    """A format that can be read.

    :param name: value of OMERO's table ``format``; ``Unknown`` where it has none
    :param reader: name of the Bio-Formats reader, which lists of candidates show
    :param suffixes: ends of file names, in lower case
    """

    name: str
    reader: str
    suffixes: tuple[str, ...]


_OME_TIFF = Format("OMETiff", "loci.formats.in.OMETiffReader", (".ome.tif", ".ome.tiff", ".companion.ome"))
_TIFF = Format("Tiff", "loci.formats.in.TiffReader", (".tif", ".tiff"))
_PNG = Format("APNG", "loci.formats.in.APNGReader", (".png",))
_JPEG = Format("JPEG", "loci.formats.in.JPEGReader", (".jpg", ".jpeg"))
_GIF = Format("Unknown", "loci.formats.in.GIFReader", (".gif",))
_OTHER = Format("Unknown", "loci.formats.in.ImageIOReader", (".webp", ".heic", ".heif"))

FORMATS: tuple[Format, ...] = (_OME_TIFF, _TIFF, _PNG, _JPEG, _GIF, _OTHER)
"""All formats; the first whose suffix fits counts."""

_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")


def format_of(name: str) -> Format | None:
    """The format of a file by its name."""
    lower = name.lower()
    return next((one for one in FORMATS if lower.endswith(one.suffixes)), None)


def is_image_name(name: str) -> bool:
    """Whether a file should be an image, going by its name; a companion's is text."""
    found = format_of(name)
    return found is not None and not name.lower().endswith(".companion.ome")


def is_image_start(start: bytes) -> bool:
    """Whether a file begins as those of one of the formats do.

    :param start: its first :data:`START` bytes
    """
    if start.startswith(_STARTS):
        return True
    return (start[:4] == b"RIFF" and start[8:12] == b"WEBP") or start[4:8] == b"ftyp"
