"""Finds the planes that OME-XML tells of: in the file that has it, or in others beside that file."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from omeroadmin.repository.images import BITS, COMPANION, ImageMetadata, bits_of, colour_names, unreadable
from omeroadmin.repository.ome_xml import OmeDocument, OmeImage

_ORDERS = ("XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC")
_MOST_PLANES = 1_000_000
_MOST_FILES = 10_000
_Item = TypeVar("_Item")
_Place = tuple[str, int]
"""A file's name and the number of a plane in it."""


def is_companion(path: Path) -> bool:
    """Whether a file is OME-XML alone, by its name."""
    return path.name.lower().endswith(COMPANION)


class Tiffs:
    """The TIFF files of one image, opened when they are asked for.

    :param path: the file with the metadata; the others are beside it
    :param stack: closes them
    """

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        self._path = path
        self._stack = stack
        self._open: dict[str, Any] = {}

    def open(self, name: str) -> Any:
        """A file by its name.

        :raises AdminError: ``unreadable-image`` for one that isn't there, has no planes or is cut off
        """
        if name not in self._open:
            if len(self._open) >= _MOST_FILES:
                raise unreadable(self._path, f"its planes are spread over more than {_MOST_FILES} files")
            self._open[name] = self._opened(name)
        return self._open[name]

    def _opened(self, name: str) -> Any:
        import tifffile

        path = self._path.with_name(name)
        if not path.is_file():
            raise unreadable(self._path, f"it has planes in {name[:80]}, which is not beside it")
        file = tifffile.TiffFile(path, is_ome=False)
        self._stack.callback(file.close)
        if not len(file.pages):
            raise unreadable(path, "it has no planes")
        size = path.stat().st_size
        for page in file.pages:
            pieces = zip(page.dataoffsets, page.databytecounts, strict=False)
            if not page.dataoffsets or any(offset + count > size for offset, count in pieces):
                raise unreadable(path, f"it is cut off: plane {page.index} ends after byte {size}")
        return file


def images_of(path: Path, document: OmeDocument, tiffs: Tiffs) -> tuple[ImageMetadata, ...]:
    """The images of a document.

    :param path: the file that has it
    :raises AdminError: ``unreadable-image``
    """
    own = _own_name(path, document)
    most = (
        _MOST_PLANES if set(document.file_names()) - {own} or is_companion(path) else len(tiffs.open(path.name).pages)
    )
    result: list[ImageMetadata] = []
    next_page = 0
    for number, image in enumerate(document.images):
        _check(path, image, most)
        places = _places(path, image, own, next_page)
        for name, page in places:
            if page >= len(tiffs.open(name).pages):
                raise unreadable(path, f"its metadata names plane {page} of {len(tiffs.open(name).pages)}")
        metadata = _metadata(path, number, image, places)
        first = tiffs.open(places[0][0]).pages[places[0][1]]
        if (first.imagewidth, first.imagelength) != (metadata.size_x, metadata.size_y):
            raise unreadable(
                path,
                f"its metadata says {metadata.size_x} x {metadata.size_y} pixels "
                f"where planes have {first.imagewidth} x {first.imagelength}",
            )
        next_page += len(places)
        result.append(metadata)
    return tuple(result)


def canonical(items: Sequence[_Item], order: str, sizes: dict[str, int]) -> tuple[_Item, ...]:
    """Reorder the planes of a file to z fastest, then channels, then t.

    :param items: one for each plane, in the order of the file
    :param order: e.g. ``XYCZT``
    """
    stride: dict[str, int] = {}
    step = 1
    for axis in order[2:]:
        stride[axis] = step
        step *= sizes[axis]
    planes = itertools.product(range(sizes["T"]), range(sizes["C"]), range(sizes["Z"]))
    return tuple(items[t * stride["T"] + c * stride["C"] + z * stride["Z"]] for t, c, z in planes)


def _own_name(path: Path, document: OmeDocument) -> str:
    """How the document calls the file that has it; a file that was renamed is the only one that is named."""
    named = document.file_names()
    return named[0] if len(named) == 1 and not is_companion(path) else path.name


def _check(path: Path, image: OmeImage, most: int) -> None:
    sizes = image.sizes
    if image.pixel_type not in BITS:
        raise unreadable(path, f"pixels of type {image.pixel_type[:40]!r} are unknown")
    if image.dimension_order not in _ORDERS:
        raise unreadable(path, f"dimension order {image.dimension_order[:40]!r} is unknown")
    if min(sizes.values()) < 1 or sizes["C"] % max(image.samples, 1):
        raise unreadable(path, f"its metadata has the sizes {sizes}")
    planes = math.prod(sizes[axis] for axis in "ZCT") // max(image.samples, 1)
    if planes > most:
        raise unreadable(path, f"its metadata tells of {planes} planes where there are {most} at most")


def _places(path: Path, image: OmeImage, own: str, next_page: int) -> tuple[_Place, ...]:
    """Where the planes are; without ``TiffData`` they follow each other."""
    samples = max(image.samples, 1)
    sizes = {"Z": image.sizes["Z"], "C": image.sizes["C"] // samples, "T": image.sizes["T"]}
    total = math.prod(sizes.values())
    linear: list[_Place | None] = [None] * total
    if not image.planes:
        linear = [(path.name, next_page + number) for number in range(total)]
    for part in image.planes:
        name = path.name if part.file_name in ("", own) else part.file_name
        if name != Path(name).name or name in ("", ".", ".."):
            raise unreadable(path, f"its metadata names the file {name[:80]!r}")
        start = _position(part.first_z, part.first_c // samples, part.first_t, image.dimension_order, sizes)
        count = part.count if part.count is not None else total if part.page is None else 1
        first = part.page if part.page is not None else next_page if name == path.name else 0
        if start < 0 or first < 0:
            raise unreadable(path, "its metadata counts planes from below 0")
        for offset in range(min(count, total - start)):
            linear[start + offset] = (name, first + offset)
    whole = [place for place in linear if place is not None]
    if len(whole) < total:
        raise unreadable(path, "its metadata doesn't say where all planes are")
    return canonical(whole, image.dimension_order, sizes)


def _position(z: int, c: int, t: int, order: str, sizes: dict[str, int]) -> int:
    position, step = 0, 1
    for axis in order[2:]:
        position += {"Z": z, "C": c, "T": t}[axis] * step
        step *= sizes[axis]
    return position


def _metadata(path: Path, number: int, image: OmeImage, places: tuple[_Place, ...]) -> ImageMetadata:
    sizes = image.sizes
    channels = tuple(image.channels[: sizes["C"]])
    channels += ("",) * (sizes["C"] - len(channels))
    samples = max(image.samples, 1)
    names = tuple(dict.fromkeys(name for name, _ in places))
    spread = names != (path.name,)
    position = {name: at for at, name in enumerate(names)}
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
        pages=tuple(page for _, page in places),
        files=names if spread else (),
        page_files=tuple(position[name] for name, _ in places) if spread else (),
    )
