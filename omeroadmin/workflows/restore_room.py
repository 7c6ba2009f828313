"""Whether a disk has room for what is restored: better told before hours of copying than after."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterable
from pathlib import Path

from omeroadmin.errors import AdminWarning


def warn_if_full(places: Iterable[Path], size: int) -> None:
    """Warn where all file systems together have less room than is wanted.

    It is no refusal: a file system that compresses may hold it all the same, and a restore that ran out of room goes on
    when it is run again.

    :param places: directories that are filled, which need not be there
    :param size: bytes of the files
    """
    free: dict[int, tuple[int, Path]] = {}
    for place in places:
        directory = next(path for path in (place, *place.parents) if path.is_dir())
        try:
            free[directory.stat().st_dev] = (shutil.disk_usage(directory).free, directory)
        except OSError:
            # Whoever writes there will say what is wrong.
            return
    room = sum(count for count, _ in free.values())
    if free and room < size:
        where = " ".join(os.fspath(directory) for _, directory in free.values())
        words = f"{size} bytes of files are to be restored, and there are {room} free (df -h {where})"
        warnings.warn(words, AdminWarning, stacklevel=2)
