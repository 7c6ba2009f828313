"""Private directories of this machine for what is on its way to a target or comes from there."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.system import files
from omeroadmin.system.scratch import scratch_directory

_KIND = "omero-backup"
_MODE = 0o700


@contextlib.contextmanager
def staging_directory(parent: Path | None) -> Iterator[Path]:
    """An empty directory, gone at the end of the block; those of killed runs are removed first.

    :param parent: made where it is missing; ``None``: the system's temporary directory
    :raises AdminError: as :func:`omeroadmin.system.scratch.scratch_directory`
    """
    base = Path(tempfile.gettempdir()) if parent is None else parent
    if not base.is_dir():
        files.make_directory(base, mode=_MODE)
    with scratch_directory(base, _KIND) as directory:
        yield directory
