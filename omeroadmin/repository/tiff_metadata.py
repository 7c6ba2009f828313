"""Reads the headers of TIFF files: which plane is which."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError
from omeroadmin.repository.images import ImageMetadata, bits_of, colour_names, unreadable
from omeroadmin.repository.ome_tiff import Tiffs, canonical, images_of
from omeroadmin.repository.ome_xml import parse_ome_document

_NUMPY_TYPES = {
    "bool": "bit",
    "uint8": "uint8",
    "int8": "int8",
    "uint16": "uint16",
    "int16": "int16",
    "uint32": "uint32",
    "int32": "int32",
    "float32": "float",
    "float64": "double",
    "complex64": "complex",
    "complex128": "double-complex",
}
_LARGEST_DOCUMENT = 64 << 20
# tifffile meets broken files with whatever its parsing happens to raise.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def read_tiff_metadata(path: Path) -> tuple[ImageMetadata, ...]:
    """The images of a TIFF file, and where its metadata names files beside it, of these.

    :raises AdminError: ``unreadable-image``
    """
    with _explained(path), contextlib.ExitStack() as stack:
        tiffs = Tiffs(path, stack)
        file = tiffs.open(path.name)
        text: str = file.pages.first.description or ""
        if text.rstrip().endswith("OME>"):
            document = parse_ome_document(text)
            if document.metadata_file:
                raise unreadable(path, f"its metadata is in {document.metadata_file[:80]}: import that file")
            return images_of(path, document, tiffs) or _from_series(path, file)
        return _from_series(path, file)


def read_companion_metadata(path: Path) -> tuple[ImageMetadata, ...]:
    """The images that a ``.companion.ome`` file tells of; their planes are in files beside it.

    :raises AdminError: ``unreadable-image``
    """
    with _explained(path), contextlib.ExitStack() as stack:
        if path.stat().st_size > _LARGEST_DOCUMENT:
            raise unreadable(path, f"it has more than {_LARGEST_DOCUMENT} bytes")
        images = images_of(path, parse_ome_document(path.read_text("utf-8")), Tiffs(path, stack))
        if not images:
            raise unreadable(path, "it tells of no image")
        return images


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    import logging

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        yield
    except AdminError as error:
        raise error if error.code == "unreadable-image" else unreadable(path, error.message) from error
    except _BROKEN as error:
        raise unreadable(path, str(error) or type(error).__name__) from error


def _from_series(path: Path, file: Any) -> tuple[ImageMetadata, ...]:
    return tuple(_one_series(path, number, series) for number, series in enumerate(file.series))


def _one_series(path: Path, number: int, series: Any) -> ImageMetadata:
    sizes = dict.fromkeys("XYZCTS", 1)
    for axis, length in zip(series.axes, series.shape, strict=True):
        name = axis if axis in sizes else "T"
        sizes[name] *= length
    pixel_type = _NUMPY_TYPES.get(series.dtype.name)
    if pixel_type is None:
        raise unreadable(path, f"samples of type {series.dtype.name} are unknown")
    outer = [axis if axis in "ZCT" else "T" for axis in series.axes if axis not in "YXS"]
    order = "XY" + "".join(dict.fromkeys(reversed(outer)))
    order += "".join(axis for axis in "CZT" if axis not in order)
    numbers = [page.index for page in series.pages if page is not None]
    expected = sizes["Z"] * sizes["C"] * sizes["T"]
    if len(numbers) < expected:
        raise unreadable(path, f"it has {len(numbers)} planes where {expected} are expected")
    channels = sizes["C"] * sizes["S"]
    name = path.name if number == 0 else f"{path.name} [{number}]"
    return ImageMetadata(
        name=name,
        series=number,
        size_x=sizes["X"],
        size_y=sizes["Y"],
        size_z=sizes["Z"],
        size_c=channels,
        size_t=sizes["T"],
        pixel_type=pixel_type,
        channel_names=colour_names(channels) if sizes["C"] == 1 else ("",) * channels,
        significant_bits=min(int(series.keyframe.bitspersample), bits_of(pixel_type)),
        dimension_order=order,
        samples=sizes["S"],
        pages=canonical(numbers, order, sizes),
    )
