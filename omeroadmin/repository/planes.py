"""Reads the planes of an image: smallest and largest values, and the thumbnail. Memory doesn't grow with the image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from omeroadmin.errors import AdminError
from omeroadmin.repository.images import ImageMetadata, read_metadata, unreadable
from omeroadmin.repository.vips import libvips, open_page

_JPEG_QUALITY = 85
_LARGEST_THUMBNAIL = 4096


def minimum_maximum(path: Path, metadata: ImageMetadata | None = None) -> tuple[tuple[float, float], ...]:
    """Smallest and largest value of each channel over all its planes.

    :param metadata: the image of the file; its first by default
    :raises AdminError: ``unreadable-image``, ``file-not-read``
    """
    image = metadata or read_metadata(path)[0]
    result: list[tuple[float, float] | None] = [None] * image.size_c
    for c in range(0, image.size_c, image.samples):
        pages = {image.place(path, z, c, t)[:2] for z in range(image.size_z) for t in range(image.size_t)}
        for file, page in sorted(pages):
            for sample, (low, high) in enumerate(_plane_extremes(file, page)[: image.samples]):
                known = result[c + sample]
                result[c + sample] = (low, high) if known is None else (min(low, known[0]), max(high, known[1]))
    if any(extremes is None for extremes in result):
        raise unreadable(path, f"its planes have fewer than {image.samples} samples")
    return tuple(extremes for extremes in result if extremes is not None)


def has_subresolutions(path: Path) -> bool:
    """Whether a file brings its own pyramid: smaller versions of its first plane, as SubIFDs.

    :raises AdminError: ``unreadable-image``, ``file-not-read``
    """
    vips = libvips()
    try:
        plane = open_page(os.fspath(path), 0)
    except vips.Error as error:
        raise plane_error(path, 0, error) from error
    return bool(plane.get("n-subifds")) if "n-subifds" in plane.get_fields() else False


def _plane_extremes(path: Path, page: int) -> list[tuple[float, float]]:
    """Extremes of each band of a plane; libvips makes one pass for all of them."""
    vips = libvips()
    try:
        table = open_page(os.fspath(path), page).stats()
        return [(table.getpoint(0, band)[0], table.getpoint(1, band)[0]) for band in range(1, table.height)]
    except vips.Error as error:
        raise plane_error(path, page, error) from error


def plane_error(path: Path, page: int, error: Exception) -> AdminError:
    """The one line for a plane that libvips can't decode."""
    detail = str(getattr(error, "detail", error)).strip().splitlines()
    return unreadable(path, f"plane {page}: {detail[-1] if detail else 'unknown format'}")


def make_thumbnail(path: Path, size: int, metadata: ImageMetadata | None = None) -> bytes:
    """A JPEG that fits a square: a picture in its colours, else the first three channels of the middle plane.

    :param size: longest side in pixels
    :param metadata: the image of the file; its first by default
    :raises AdminError: ``unreadable-image``, ``file-not-read``
    """
    vips = libvips()
    side = max(1, min(size, _LARGEST_THUMBNAIL))
    image = metadata or read_metadata(path)[0]
    page = 0
    try:
        if image.is_rgb:
            file, page, _ = image.place(path, image.size_z // 2, 0, 0)
            small = _shrunk(file, page, side)
            if small.hasalpha():
                small = small.flatten(background=255)
            picture = small.extract_band(0, n=3)
            picture = picture if picture.format == "uchar" else _stretched(picture)
            picture = picture.copy(interpretation="srgb")
        else:
            channels: list[Any] = []
            for c in range(min(image.size_c, 3)):
                file, page, sample = image.place(path, image.size_z // 2, c, 0)
                channels.append(_stretched(_shrunk(file, page, side).extract_band(sample)))
            picture = _composed(channels)
        content: bytes = picture.jpegsave_buffer(Q=_JPEG_QUALITY, keep="none")
        return content
    except vips.Error as error:
        raise plane_error(path, page, error) from error


def thumbnail_dimensions(metadata: ImageMetadata, size: int) -> tuple[int, int]:
    """Width and height of the thumbnail that fits a square of this size; small images aren't enlarged."""
    side = max(1, min(size, _LARGEST_THUMBNAIL))
    factor = max(metadata.size_x, metadata.size_y) / side
    if factor <= 1:
        return metadata.size_x, metadata.size_y
    return max(1, round(metadata.size_x / factor)), max(1, round(metadata.size_y / factor))


def _shrunk(path: Path, page: int, side: int) -> Any:
    """A plane in memory, small; samples keep their type until then, so that dark 16-bit images aren't lost."""
    plane = open_page(os.fspath(path), page)
    factor = max(plane.width, plane.height) / side
    if factor > 1:
        width, height = max(1, round(plane.width / factor)), max(1, round(plane.height / factor))
        whole = max(1, int(factor / 2))
        if whole > 1:
            plane = plane.shrink(min(whole, plane.width), min(whole, plane.height))
        plane = plane.resize(width / plane.width, vscale=height / plane.height, kernel="linear")
    return plane.copy_memory()


def _stretched(plane: Any) -> Any:
    """Spread the values that occur over 0 to 255."""
    low, high = plane.min(), plane.max()
    scale = 255 / (high - low) if high > low else 0.0
    return plane.linear(scale, -low * scale).cast("uchar")


def _composed(channels: list[Any]) -> Any:
    if len(channels) == 1:
        return channels[0].copy(interpretation="b-w")
    if len(channels) == 2:
        channels = [*channels, channels[0].linear(0, 0).cast("uchar")]
    return channels[0].bandjoin(channels[1:]).copy(interpretation="srgb")
