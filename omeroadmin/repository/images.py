"""What an image file holds: dimensions, pixel type and channels, read from its headers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.vips import libvips, open_page
from omeroadmin.system.files import file_error

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_VIPS_TYPES = {
    "uchar": "uint8",
    "char": "int8",
    "ushort": "uint16",
    "short": "int16",
    "uint": "uint32",
    "int": "int32",
    "float": "float",
    "double": "double",
    "complex": "complex",
    "dpcomplex": "double-complex",
}
BITS = {
    "bit": 1,
    "uint8": 8,
    "int8": 8,
    "uint16": 16,
    "int16": 16,
    "uint32": 32,
    "int32": 32,
    "float": 32,
    "double": 64,
    "complex": 64,
    "double-complex": 128,
}
"""Bits of a sample by OMERO's names of pixel types."""
COMPANION = ".companion.ome"
"""End of the name of a file with the metadata of OME-TIFF files beside it."""
_COLOURS = ("Red", "Green", "Blue", "Alpha")


@dataclass(frozen=True)
class ImageMetadata:
    """One image of a file.

    :param name: from the file's metadata, else the file's name
    :param series: number of the image in its file, from 0
    :param pixel_type: OMERO's name, e.g. ``uint16``
    :param channel_names: one for each channel; empty where the file names none
    :param significant_bits: bits of a sample that carry data
    :param dimension_order: e.g. ``XYZCT``
    :param samples: channels that one plane of the file holds, 3 for RGB
    :param pages: number of the plane in its file for z fastest, then channels, then t
    :param files: names, beside the file with the metadata, of the files that hold the planes; none: that file itself
    :param page_files: for each of ``pages`` the number of its file in ``files``
    """

    name: str
    series: int
    size_x: int
    size_y: int
    size_z: int
    size_c: int
    size_t: int
    pixel_type: str
    channel_names: tuple[str, ...]
    significant_bits: int
    dimension_order: str
    samples: int = 1
    description: str = ""
    pages: tuple[int, ...] = field(default=(0,), repr=False)
    files: tuple[str, ...] = ()
    page_files: tuple[int, ...] = field(default=(), repr=False)

    def page(self, z: int, c: int, t: int) -> tuple[int, int]:
        """Where a plane is in its file.

        :return: number of the file's plane and of the sample in it
        """
        number, sample = self._position(z, c, t)
        return self.pages[number], sample

    def place(self, path: Path, z: int, c: int, t: int) -> tuple[Path, int, int]:
        """Where a plane is.

        :param path: the file with the metadata
        :return: file, number of the file's plane and of the sample in it
        """
        number, sample = self._position(z, c, t)
        return self.file_of(path, number), self.pages[number], sample

    def file_of(self, path: Path, number: int) -> Path:
        """The file of one of ``pages``.

        :param path: the file with the metadata
        """
        return path.with_name(self.files[self.page_files[number]]) if self.files else path

    def _position(self, z: int, c: int, t: int) -> tuple[int, int]:
        group, sample = divmod(c, self.samples)
        groups = self.size_c // self.samples
        return z + self.size_z * (group + groups * t), sample

    @property
    def is_rgb(self) -> bool:
        """Whether the channels are the colours of one picture."""
        return self.samples >= 3


def read_metadata(path: Path) -> tuple[ImageMetadata, ...]:
    """The images of a file, in their order; what can't be decoded later is refused here where headers tell.

    :raises AdminError: ``unreadable-image`` for what is no image, cut off or of an unknown format, ``file-not-read``
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise file_error("read", path, error) from error
    if size == 0:
        raise unreadable(path, "it is empty")
    if start in _TIFF_STARTS:
        from omeroadmin.repository.tiff_metadata import read_tiff_metadata

        return read_tiff_metadata(path)
    if path.name.lower().endswith(COMPANION):
        from omeroadmin.repository.tiff_metadata import read_companion_metadata

        return read_companion_metadata(path)
    return (_read_with_vips(path),)


def unreadable(path: Path, why: str) -> AdminError:
    """The one line for a file that is no image this server can read."""
    reason = " ".join(why.split()).strip(" .") or "unknown format"
    return failed_error(
        "unreadable-image",
        f"{path.name} is not an image that can be read: {reason[:200]}",
        "check the file; TIFF, OME-TIFF, PNG, JPEG, WebP, GIF and HEIF can be read",
    )


def bits_of(pixel_type: str) -> int:
    """Bits of one sample of a pixel type."""
    return BITS[pixel_type]


def colour_names(samples: int) -> tuple[str, ...]:
    """Names of the samples of a picture; none for a single grey one."""
    if samples in (3, 4):
        return _COLOURS[:samples]
    return ("",) * samples


def _read_with_vips(path: Path) -> ImageMetadata:
    vips = libvips()
    try:
        picture = open_page(os.fspath(path), 0)
        # Headers don't tell whether the pixels are whole: decode once, a few rows at a time.
        picture.avg()
    except vips.Error as error:
        raise unreadable(path, _vips_reason(error, path)) from error
    pixel_type = _VIPS_TYPES.get(picture.format)
    if pixel_type is None:
        raise unreadable(path, f"samples of format {picture.format} are unknown")
    pages = picture.get("n-pages") if picture.get_typeof("n-pages") else 1
    bits = picture.get("bits-per-sample") if picture.get_typeof("bits-per-sample") else bits_of(pixel_type)
    return ImageMetadata(
        name=path.name,
        series=0,
        size_x=picture.width,
        size_y=picture.height,
        size_z=1,
        size_c=picture.bands,
        size_t=pages,
        pixel_type=pixel_type,
        channel_names=colour_names(picture.bands),
        significant_bits=min(bits, bits_of(pixel_type)),
        dimension_order="XYCZT",
        samples=picture.bands,
        pages=tuple(range(pages)),
    )


def _vips_reason(error: Exception, path: Path) -> str:
    """libvips' words without the path, which the message has already."""
    lines = [line.strip() for line in str(getattr(error, "detail", error)).replace("\\n", "\n").splitlines()]
    reason = next((line for line in reversed(lines) if line), "unknown format")
    if "not in a known format" in reason or "not a known file format" in reason:
        return "unknown format"
    return reason.replace(os.fspath(path), path.name)
