"""Loads libvips when it is first needed, with few threads and without the decoders that it does not trust itself."""

from __future__ import annotations

import os
from functools import cache
from typing import Any


@cache
def libvips() -> Any:
    """The pyvips module; ``VIPS_CONCURRENCY`` and ``VIPS_BLOCK_UNTRUSTED`` may be set by the environment."""
    # libvips reads these once, when it starts.
    os.environ.setdefault("VIPS_CONCURRENCY", "2")
    os.environ.setdefault("VIPS_BLOCK_UNTRUSTED", "1")
    import logging

    import pyvips

    logging.getLogger("pyvips").setLevel(logging.WARNING)
    pyvips.cache_set_max(0)
    pyvips.cache_set_max_mem(32 << 20)
    return pyvips


def open_page(path: str, page: int) -> Any:
    """One plane of an image file, read from top to bottom as it is asked for.

    :raises pyvips.Error: as libvips says
    """
    vips = libvips()
    options = {} if page == 0 else {"page": page}
    return vips.Image.new_from_file(path, access="sequential", fail_on="truncated", **options)
