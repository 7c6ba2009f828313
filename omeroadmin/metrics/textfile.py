"""Metrics in a file that node_exporter's textfile collector reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from omeroadmin.metrics.exposition import exposition
from omeroadmin.metrics.families import Sample
from omeroadmin.system import files


def write_textfile(samples: Iterable[Sample], path: Path) -> None:
    """Replace a textfile in one step; it is for everybody to read, as the collector is somebody else.

    :param path: ends in ``.prom``, or the collector doesn't see it
    :raises AdminError: ``file-not-written``
    """
    files.write_atomically(path, exposition(samples), mode=files.PLAIN_MODE)
