"""``omero admin cleanse`` on a large repository, beside find and beside asking for 25 ids at a time."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from omeroadmin.database.connection import connect
from omeroadmin.profiles.store import update_profile
from tests.benchmarks.repository_tree import MANAGED_UUID, Size, generate
from tests.support.database import DatabaseUnderTest, running_database

FILES = 1_000_000
GOAL_FIND = 3.0
"""Times the wall time of ``find -type f -printf``, at most."""
GOAL_NAIVE = 20.0
"""Times as fast as 25 ids at a time, at least."""
GOAL_MEMORY = 150.0
"""Megabytes at the peak."""
_NAIVE_BATCH = 25
_T = TypeVar("_T")
_U = TypeVar("_U")
_TREES = {"Files": "originalfile", "Pixels": "pixels", "Thumbnails": "thumbnail"}


def measure_repository(directory: Path, rounds: int, *, files: int = FILES, peers: bool = True) -> bool:
    """Measure, print the table.

    :param rounds: runs of each program; the fastest counts
    :param files: in the repository
    :return: whether the goals are met
    """
    if os.geteuid() == 0:
        print("the repository isn't measured: PostgreSQL refuses to run as root")
        return True
    with running_database(directory) as database:
        began = time.monotonic()
        orphans = generate(database, Size.of(files))
        update_profile(database.instance.config_xml, database.settings.explicit())
        print(f"{files} files generated in {time.monotonic() - began:.0f} s")
        ours, memory, found = _ours(database, directory, rounds)
        wanted = {str(kind): len(paths) for kind, paths in orphans.items()}
        met = found == wanted and memory <= GOAL_MEMORY
        print(f"{f'a repository of {files} files':<50} {'seconds':>9} {'files/s':>9} {'ratio':>7} {'goal':>7}")
        _row("omero admin cleanse --dry-run", ours, files)
        print(f"{'  peak memory, MB':<50} {memory:9.0f} {'':>9} {'':>7} {GOAL_MEMORY:7.0f}")
        print(
            f"  {sum(found.values())} orphans of {len(found)} kinds, {'exactly those' if found == wanted else 'WRONG'}"
        )
        find = min(_times(lambda: _find(database.settings.data_directory), rounds))
        ratio = ours / find
        met = met and ratio <= GOAL_FIND
        _row("find DIR -type f -printf", find, files, f"{ratio:7.2f} {GOAL_FIND:7.1f}")
        if peers:
            naive = min(_times(lambda: _naive(database), 1))
            ratio = naive / ours
            met = met and ratio >= GOAL_NAIVE
            _row("25 ids at a time, by SQL", naive, files, f"{ratio:7.1f} {GOAL_NAIVE:7.1f}")
        shutil.rmtree(database.settings.data_directory)
    return met


def _ours(database: DatabaseUnderTest, home: Path, rounds: int) -> tuple[float, float, dict[str, int]]:
    """Seconds of the fastest run, megabytes of the largest, and what was found by kind."""
    import json

    environment = {**os.environ, "OMERODIR": str(database.instance.omerodir), "HOME": str(home)}
    arguments = [sys.executable, "-m", "omeroadmin", "admin", "cleanse", "--dry-run", "--json"]
    document: dict[str, dict[str, dict[str, int]]] = {}

    def run() -> None:
        done = subprocess.run(arguments, env=environment, capture_output=True, check=False, text=True, timeout=3600)
        assert done.returncode == 0, done.stderr
        document.update(json.loads(done.stdout))

    seconds = min(_times(run, rounds))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return seconds, memory, {kind: one["count"] for kind, one in document["found"].items()}


def _find(directory: Path) -> None:
    arguments = ["find", str(directory), "-type", "f", "-printf", "%p %s\n"]
    subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)


def _naive(database: DatabaseUnderTest) -> None:
    """What OMERO's own cleanse does, without the server in between, and the same for the managed repository."""
    data, managed = database.settings.data_directory, database.settings.managed_repository
    with connect(database.address, autocommit=True) as connection:
        for tree, table in _TREES.items():
            for batch in _batches(_ids(data / tree)):
                rows = connection.execute(
                    f"SELECT id FROM {table} WHERE id = ANY(%s)".encode(), ([number for number, _ in batch],)
                )
                known = {number for (number,) in rows}
                for number, path in batch:
                    if number not in known:
                        path.stat()
        for batch in _batches(_paths(managed)):
            rows = connection.execute(
                "SELECT o.path || o.name FROM originalfile o JOIN unnest(%s::text[], %s::text[]) AS n (path, name)"
                " ON o.path = n.path AND o.name = n.name WHERE o.repo = %s",
                ([directory for directory, _ in batch], [name for _, name in batch], MANAGED_UUID),
            )
            known_places = {place for (place,) in rows}
            for directory, name in batch:
                if directory + name not in known_places:
                    (managed / directory / name).lstat()


def _ids(top: Path) -> Iterator[tuple[int, Path]]:
    for directory, _, names in os.walk(top):
        for name in names:
            number = name.lstrip(".").partition("_")[0]
            if number.isdigit():
                yield int(number), Path(directory, name)


def _paths(top: Path) -> Iterator[tuple[str, str]]:
    for directory, _, names in os.walk(top):
        relative = os.path.relpath(directory, top)
        for name in names:
            yield ("/" if relative == "." else f"{relative}/"), name


def _batches(items: Iterator[tuple[_T, _U]]) -> Iterator[list[tuple[_T, _U]]]:
    batch: list[tuple[_T, _U]] = []
    for item in items:
        batch.append(item)
        if len(batch) == _NAIVE_BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _times(run: Callable[[], None], rounds: int) -> list[float]:
    seconds = []
    for _ in range(rounds):
        began = time.monotonic()
        run()
        seconds.append(time.monotonic() - began)
    return seconds


def _row(name: str, seconds: float, files: int, rest: str = "") -> None:
    print(f"{name:<50} {seconds:9.2f} {files / seconds:9.0f} {rest}", flush=True)
