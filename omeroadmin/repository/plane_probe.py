"""Decodes a plane in a process of its own: libraries that read whatever people sent may crash or hang.

``python -m omeroadmin.repository.plane_probe FILE SERIES`` prints ``[width, height]``, or ``{"error": "…"}``.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.repository.images import read_metadata, unreadable
from omeroadmin.repository.planes import plane_error
from omeroadmin.repository.vips import libvips, open_page
from omeroadmin.system import process

_TIMEOUT = 300.0


def probe_plane(path: Path, series: int, *, timeout: float = _TIMEOUT) -> tuple[int, int]:
    """Have the first plane of an image decoded to its last pixel, by another process.

    :param path: file of the image, or the one with its metadata
    :param series: number of the image in its file
    :param timeout: seconds
    :return: width and height
    :raises AdminError: ``unreadable-image``, ``program-timeout``
    """
    done = process.run(process.module_command(__name__, path, str(series)), timeout=timeout)
    try:
        answer = json.loads(done.output)
        if isinstance(answer, dict):
            raise failed_error("unreadable-image", str(answer["error"]))
        width, height = answer
        return int(width), int(height)
    except (ValueError, TypeError, KeyError) as error:
        raise unreadable(path, f"its decoder ended with status {done.status}: {done.last_words()}") from error


def _decoded(path: Path, series: int) -> tuple[int, int]:
    images = read_metadata(path)
    image = next((one for one in images if one.series == series), None)
    if image is None:
        raise unreadable(path, f"it has no image {series}")
    file, page, _ = image.place(path, 0, 0, 0)
    vips = libvips()
    try:
        plane = open_page(os.fspath(file), page)
        # An average needs every pixel.
        plane.avg()
        return int(plane.width), int(plane.height)
    except vips.Error as error:
        raise plane_error(file, page, error) from error


def main(path: str, series: str) -> None:
    """Print what a plane has come to."""
    answer: object
    try:
        answer = _decoded(Path(path), int(series))
    except AdminError as error:
        answer = {"error": error.message}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
