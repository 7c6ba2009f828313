"""Imports: many small files and a large one, beside ``cp`` and ``sha1sum`` of the same files."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.profiles.store import update_profile
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import LiveServer, live, start_all
from tests.support.omero import Omero

_SMALL_FILES = 2000
_LARGE_PLANES = 128
_LARGE_SIDE = 4096
_TIMEOUT = 1800.0


@dataclass(frozen=True)
class Row:
    """An import and what it is held against; seconds, medians of some runs.

    :param goal: how many times as long it may take; ``None`` for a figure that is only shown
    """

    name: str
    ours: float
    beside: float
    goal: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the goal is reached."""
        return self.goal is None or self.ours / self.beside <= self.goal

    def line(self) -> str:
        """The row of the table."""
        goal = "" if self.goal is None else f"{self.goal:.1f} x"
        row = f"{self.name:<50} {self.ours:9.2f} {self.beside:9.2f} {self.ours / self.beside:7.2f} x {goal:>9}"
        return row if self.is_met else f"{row}  MISSED"


def measure_imports(directory: Path, rounds: int) -> bool:
    """Measure imports and print the table.

    :param rounds: imports of the large file
    :return: whether the goal is reached
    """
    if os.geteuid() == 0:
        print("imports are not measured as root: the servers refuse to run so")
        return True
    print(f"{'imports':<50} {'ours s':>9} {'cp+sha1 s':>9} {'ratio':>9} {'at most':>9}")
    met = True
    with live(directory / "server") as server:
        start_all(server)
        omero = _client(server, directory)
        for row in (*_small(omero, directory), _large(server, omero, directory, rounds)):
            print(row.line(), flush=True)
            met = met and row.is_met
    return met


def _client(server: LiveServer, directory: Path) -> Omero:
    instance = server.runtime.instance
    instance.grid_directory.mkdir(parents=True, exist_ok=True)
    update_profile(instance.config_xml, {**server.runtime.properties, "omero.ports.ssl": str(server.ssl_port)})
    home = directory / "home"
    home.mkdir()
    (home / "password").write_text(ROOT_PASSWORD)
    omero = Omero(home, extra={"OMERODIR": str(instance.omerodir)})
    omero.ok("login", "root@localhost", "--password-file", "password")
    return omero


def _small(omero: Omero, directory: Path) -> list[Row]:
    import numpy as np
    import tifffile

    folder = directory / "small"
    folder.mkdir()
    random = np.random.default_rng(1)
    for number in range(_SMALL_FILES):
        tifffile.imwrite(folder / f"{number}.tif", random.integers(0, 255, (64, 64), dtype=np.uint8))
    beside = _seconds(lambda: _copy_and_hash(folder, directory / "copies"))
    rows = []
    for filesets in (1, 4):
        words = ("import", "--quiet", "--parallel-fileset", str(filesets), str(folder))
        taken = _seconds(lambda words=words: omero.ok(*words, timeout=_TIMEOUT))  # type: ignore[misc] # mypy's limits
        rows.append(Row(f"{_SMALL_FILES} small files, {filesets} at once", taken, beside))
        rows.append(Row("  each, ms", taken / _SMALL_FILES * 1000, beside / _SMALL_FILES * 1000))
    return rows


def _large(server: LiveServer, omero: Omero, directory: Path, rounds: int) -> Row:
    path = directory / "large.tif"
    _write_large(path)
    ours, beside = [], []
    for _ in range(rounds):
        beside.append(_seconds(lambda: _copy_and_hash(path, directory / "copy.tif")))
        (directory / "copy.tif").unlink()
        ours.append(_seconds(lambda: omero.ok("import", "--quiet", str(path), timeout=_TIMEOUT)))
        for stored in server.managed.rglob("large.tif"):
            stored.unlink()
    name = f"one file of {path.stat().st_size / 2**30:.1f} GiB"
    return Row(name, statistics.median(ours), statistics.median(beside), 3.0)


def _write_large(path: Path) -> None:
    import numpy as np
    import tifffile

    plane = np.frombuffer(os.urandom(_LARGE_SIDE * _LARGE_SIDE), np.uint8).reshape(_LARGE_SIDE, _LARGE_SIDE)
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        planes = (plane for _ in range(_LARGE_PLANES))
        writer.write(planes, shape=(_LARGE_PLANES, _LARGE_SIDE, _LARGE_SIDE), dtype=np.uint8)


def _copy_and_hash(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-r", source, target], check=True)
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    subprocess.run(["sha1sum", *files], stdout=subprocess.DEVNULL, check=True)


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
