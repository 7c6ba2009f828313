"""Reads the headers of TIFF and OME-TIFF files: which plane is which."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError
from omeroadmin.repository.images import ImageMetadata, bits_of, colour_names, unreadable
from omeroadmin.repository.ome_xml import OmeImage, parse_ome_xml

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
_ORDERS = ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")
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
    """The images of a TIFF file.

    :raises AdminError: ``unreadable-image``
    """
    import logging

    import tifffile

    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        with tifffile.TiffFile(path, is_ome=False) as file:
            if not len(file.pages):
                raise unreadable(path, "it has no planes")
            _check_whole(path, file)
            text: str = file.pages.first.description or ""
            if text.rstrip().endswith("OME>"):
                return _from_ome(path, file, parse_ome_xml(text)) or _from_series(path, file)
            return _from_series(path, file)
    except AdminError as error:
        raise error if error.code == "unreadable-image" else unreadable(path, error.message) from error
    except _BROKEN as error:
        raise unreadable(path, str(error) or type(error).__name__) from error


def _check_whole(path: Path, file: Any) -> None:
    """Refuse a file that ends before its planes do."""
    size = path.stat().st_size
    for page in file.pages:
        pieces = zip(page.dataoffsets, page.databytecounts, strict=False)
        if not page.dataoffsets or any(offset + count > size for offset, count in pieces):
            raise unreadable(path, f"it is cut off: plane {page.index} ends after byte {size}")


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
        pages=_canonical(numbers, order, sizes),
    )


def _canonical(numbers: Sequence[int], order: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """Reorder the file's planes to z fastest, then channels, then t."""
    stride: dict[str, int] = {}
    step = 1
    for axis in order[2:]:
        stride[axis] = step
        step *= sizes[axis]
    planes = itertools.product(range(sizes["T"]), range(sizes["C"]), range(sizes["Z"]))
    return tuple(numbers[t * stride["T"] + c * stride["C"] + z * stride["Z"]] for t, c, z in planes)


def _from_ome(path: Path, file: Any, images: list[OmeImage]) -> tuple[ImageMetadata, ...]:
    result: list[ImageMetadata] = []
    next_page = 0
    for number, image in enumerate(images):
        planes = math.prod(image.sizes[axis] for axis in "ZCT") // max(image.samples, 1)
        if planes > len(file.pages):
            raise unreadable(path, f"its metadata tells of {planes} planes where there are {len(file.pages)}")
        metadata = _one_ome_image(path, number, image, next_page)
        if metadata.pages and max(metadata.pages) >= len(file.pages):
            raise unreadable(path, f"its metadata names plane {max(metadata.pages)} of {len(file.pages)}")
        page = file.pages[metadata.pages[0]]
        if (page.imagewidth, page.imagelength) != (metadata.size_x, metadata.size_y):
            raise unreadable(
                path,
                f"its metadata says {metadata.size_x} x {metadata.size_y} pixels "
                f"where planes have {page.imagewidth} x {page.imagelength}",
            )
        next_page += len(metadata.pages)
        result.append(metadata)
    return tuple(result)


def _one_ome_image(path: Path, number: int, image: OmeImage, next_page: int) -> ImageMetadata:
    sizes = image.sizes
    if image.pixel_type not in _NUMPY_TYPES.values():
        raise unreadable(path, f"pixels of type {image.pixel_type!r} are unknown")
    if image.dimension_order not in _ORDERS:
        raise unreadable(path, f"dimension order {image.dimension_order!r} is unknown")
    if min(sizes.values()) < 1 or sizes["C"] % max(image.samples, 1):
        raise unreadable(path, f"its metadata has the sizes {sizes}")
    channels = tuple(image.channels[: sizes["C"]])
    channels += ("",) * (sizes["C"] - len(channels))
    samples = max(image.samples, 1)
    return ImageMetadata(
        name=image.name or path.name,
        series=number,
        size_x=sizes["X"],
        size_y=sizes["Y"],
        size_z=sizes["Z"],
        size_c=sizes["C"],
        size_t=sizes["T"],
        pixel_type=image.pixel_type,
        channel_names=colour_names(samples) if 1 < samples == sizes["C"] else channels,
        significant_bits=image.significant_bits or bits_of(image.pixel_type),
        dimension_order=image.dimension_order,
        samples=samples,
        description=image.description,
        pages=_ome_pages(path, image, samples, next_page),
    )


def _ome_pages(path: Path, image: OmeImage, samples: int, next_page: int) -> tuple[int, ...]:
    """Where the planes are; without ``TiffData`` they follow each other."""
    sizes = {"Z": image.sizes["Z"], "C": image.sizes["C"] // samples, "T": image.sizes["T"]}
    total = math.prod(sizes.values())
    linear: list[int] = [-1] * total
    if not image.planes:
        linear = list(range(next_page, next_page + total))
    own_name = image.planes[0].file_name if image.planes else ""
    for part in image.planes:
        if part.file_name != own_name:
            raise unreadable(path, "its planes are spread over several files")
        start = _linear_position(part.first_z, part.first_c // samples, part.first_t, image.dimension_order, sizes)
        count = part.count if part.count is not None else total if part.page is None else 1
        first = part.page if part.page is not None else next_page
        for offset in range(min(count, total - start)):
            linear[start + offset] = first + offset
    if any(page < 0 for page in linear):
        raise unreadable(path, "its metadata doesn't say where all planes are")
    return _canonical(linear, image.dimension_order, sizes)


def _linear_position(z: int, c: int, t: int, order: str, sizes: dict[str, int]) -> int:
    position, step = 0, 1
    for axis in order[2:]:
        position += {"Z": z, "C": c, "T": t}[axis] * step
        step *= sizes[axis]
    return position
