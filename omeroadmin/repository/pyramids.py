"""Tiled pyramids for images whose planes are too large to be read as a whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.images import ImageMetadata, read_metadata
from omeroadmin.repository.layout import pyramid_lock_path
from omeroadmin.repository.planes import plane_error
from omeroadmin.repository.vips import libvips, open_page
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files, locks

_LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class TileSize:
    """Pixels of a tile; libvips wants multiples of 16."""

    width: int = 256
    height: int = 256

    @classmethod
    def from_settings(cls, settings: Settings) -> TileSize:
        """Sizes of ``omero.pixeldata.tile_width`` and ``tile_height``, rounded to what TIFF allows.

        :raises AdminError: ``setting-invalid``
        """
        return cls(
            max(16, round(settings.number("omero.pixeldata.tile_width") / 16) * 16),
            max(16, round(settings.number("omero.pixeldata.tile_height") / 16) * 16),
        )


_FLOATING = ("float", "double", "complex", "double-complex")


def needs_pyramid(metadata: ImageMetadata, settings: Settings) -> bool:
    """Whether the planes are larger than ``omero.pixeldata.max_plane_width`` times ``max_plane_height``.

    Images of floating-point pixels never get one.

    :raises AdminError: ``setting-invalid``
    """
    return metadata.pixel_type not in _FLOATING and _is_large(metadata, settings)


def is_unviewable(metadata: ImageMetadata, settings: Settings) -> bool:
    """Whether an image is too large to be read as a whole and gets no pyramid: floating-point pixels, unless
    ``omero.pixeldata.max_plane_float_override`` lets them be treated as any other image.

    :raises AdminError: ``setting-invalid``
    """
    if metadata.pixel_type not in _FLOATING or settings.flag("omero.pixeldata.max_plane_float_override"):
        return False
    return _is_large(metadata, settings)


def _is_large(metadata: ImageMetadata, settings: Settings) -> bool:
    largest = settings.number("omero.pixeldata.max_plane_width") * settings.number("omero.pixeldata.max_plane_height")
    return metadata.size_x * metadata.size_y > largest


def make_pyramid(
    source: Path,
    target: Path,
    *,
    metadata: ImageMetadata | None = None,
    tile: TileSize | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Write the pyramid of an image; nobody sees it before it is whole.

    The planes follow each other as in the metadata, z fastest; the reduced ones are in each plane's SubIFDs.

    :param target: ``Pixels/…/<id>_pyramid``
    :param metadata: the image of the file; its first by default
    :param tile: 256 x 256 by default
    :param is_cancelled: asked many times meanwhile; true ends the work
    :raises AdminError: ``unreadable-image``, ``file-not-read``, ``file-not-written``, ``cancelled``,
        ``locked`` if it is being written
    """
    image = metadata or read_metadata(source)[0]
    vips = libvips()
    size = tile or TileSize()
    files.make_directory(target.parent, mode=0o750)
    with _pyramid_lock(target), _temporary(target) as temporary:
        try:
            stack = _stacked(source, image)
            stack.set_progress(True)
            stack.signal_connect("eval", lambda running, _progress: running.set_kill(is_cancelled()))
            stack.tiffsave(
                os.fspath(temporary),
                compression="deflate",
                tile=True,
                tile_width=size.width,
                tile_height=size.height,
                pyramid=True,
                subifd=True,
                bigtiff=True,
                depth="onetile",
            )
        except vips.Error as error:
            if is_cancelled():
                raise failed_error("cancelled", f"the pyramid {target.name} was not finished") from error
            raise _save_error(source, target, error) from error
        _publish(temporary, target)


def _stacked(source: Path, image: ImageMetadata) -> Any:
    """All planes below each other, the form in which libvips saves a file of several planes."""
    pages = dict.fromkeys((image.file_of(source, number), page) for number, page in enumerate(image.pages))
    planes = [open_page(os.fspath(file), page) for file, page in pages]
    stack = libvips().Image.arrayjoin(planes, across=1) if len(planes) > 1 else planes[0].copy()
    stack.set_type(libvips().GValue.gint_type, "page-height", image.size_y)
    stack.set_type(libvips().GValue.gstr_type, "image-description", ome_xml(image))
    return stack


def ome_xml(image: ImageMetadata) -> str:
    """OME-XML of a pyramid's first plane."""
    channels = "".join(
        f'<Channel ID="Channel:0:{number}" SamplesPerPixel="{image.samples}"{_named(name, image.samples)}/>'
        for number, name in enumerate(image.channel_names[:: image.samples])
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        f'<Image ID="Image:0" Name={quoteattr(image.name)}>'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{image.pixel_type}" SizeX="{image.size_x}" '
        f'SizeY="{image.size_y}" SizeZ="{image.size_z}" SizeC="{image.size_c}" SizeT="{image.size_t}">'
        f"{channels}<TiffData/></Pixels></Image></OME>"
    )


def _named(name: str, samples: int) -> str:
    """One element stands for all colours of a picture, so it has no name of its own."""
    return f" Name={quoteattr(name)}" if name and samples == 1 else ""


@contextlib.contextmanager
def _pyramid_lock(target: Path) -> Iterator[None]:
    path = pyramid_lock_path(target)
    with locks.exclusive(path, what=f"pyramid {target.name}", timeout=_LOCK_SECONDS):
        try:
            yield
        finally:
            # Its presence tells other tools that the pyramid is being written, and it is gone afterwards.
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """A name beside the target; what a killed process left there is removed first."""
    for stale in target.parent.glob(f".{target.name}*.tmp"):
        stale.unlink(missing_ok=True)
    path = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _publish(temporary: Path, target: Path) -> None:
    try:
        temporary.chmod(0o640)
        descriptor = os.open(temporary, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(target)
        files.sync_directory(target.parent)
    except OSError as error:
        raise files.file_error("written", target, error) from error


def _save_error(source: Path, target: Path, error: Exception) -> AdminError:
    detail = str(getattr(error, "detail", error))
    if "No space left" in detail or "unable to write" in detail or "unable to open for write" in detail:
        return files.file_error("written", target, OSError(0, detail.strip().splitlines()[-1]))
    return plane_error(source, 0, error)
