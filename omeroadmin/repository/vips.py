"""Loads libvips when it is first needed, with few threads and only the decoders that images are expected to need."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

_DECODERS = ("Tiff", "Png", "Jpeg", "Webp", "Nsgif", "Heif")


@cache
def libvips() -> Any:
    """The pyvips module; ``VIPS_CONCURRENCY`` may be set by the environment."""
    # libvips reads it once, when it starts.
    os.environ.setdefault("VIPS_CONCURRENCY", "2")
    import logging

    import pyvips

    logging.getLogger("pyvips").setLevel(logging.ERROR)
    pyvips.cache_set_max(0)
    # Files come from anyone: SVG, PDF and the like can do more than hold pixels.
    pyvips.operation_block_set("VipsForeignLoad", True)
    for decoder in _DECODERS:
        pyvips.operation_block_set(f"VipsForeignLoad{decoder}", False)
    return pyvips


def open_page(path: str, page: int) -> Any:
    """One plane of an image file, read from top to bottom as it is asked for.

    :raises pyvips.Error: as libvips says
    """
    vips = libvips()
    options = {} if page == 0 else {"page": page}
    return vips.Image.new_from_file(path, access="sequential", fail_on="error", **options)
