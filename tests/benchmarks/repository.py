"""``omero admin cleanse`` on a large repository, beside find and beside asking for 25 ids at a time."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from omeroadmin.database.connection import connect
from omeroadmin.profiles.store import update_profile
from tests.benchmarks.repository_tree import Size, generate
from tests.support.bare_repository import MANAGED_UUID
from tests.support.database import DatabaseUnderTest
from tests.support.liveserver import LiveServer, live, start_all

FILES = 1_000_000
GOAL_FIND = 3.0
"""Times the wall time of ``find -type f -printf``, at most."""
GOAL_ASKING = 20.0
"""Times as fast as 25 ids at a time, at least."""
GOAL_MEMORY = 150.0
"""Megabytes at the peak."""
_BATCH = 25
_TREES = {"Files": "originalfile", "Pixels": "pixels", "Thumbnails": "thumbnail"}
_Item = TypeVar("_Item")


def measure_repository(directory: Path, rounds: int, *, files: int = FILES, peers: bool = True) -> bool:
    """Measure, print the table.

    :param rounds: runs of each program; the fastest counts
    :param files: in the repository
    :param peers: whether to measure those that ask for 25 ids at a time, too, which takes minutes
    :return: whether the goals are met
    """
    if os.geteuid() == 0:
        print("the repository isn't measured: PostgreSQL refuses to run as root")
        return True
    with live(directory) as server:
        database = server.database
        began = time.monotonic()
        orphans = generate(database, Size.of(files))
        update_profile(database.instance.config_xml, database.settings.explicit())
        print(f"{files} files generated in {time.monotonic() - began:.0f} s", flush=True)
        find = min(_times(lambda: _find(database.settings.data_directory), rounds))
        ours, memory, found = _ours(database, directory, rounds)
        wanted = {str(kind): len(paths) for kind, paths in orphans.items()}
        ratio = ours / find
        met = found == wanted and memory <= GOAL_MEMORY and ratio <= GOAL_FIND
        print(f"{f'a repository of {files} files':<50} {'seconds':>9} {'files/s':>9} {'ratio':>7} {'goal':>7}")
        _row("find DIR -type f -printf", find, files)
        _row(
            "omero admin cleanse --dry-run", ours, files, f"{ratio:7.2f} {GOAL_FIND:7.1f}{_missed(ratio <= GOAL_FIND)}"
        )
        print(f"{'  its peak memory in MB':<50} {memory:9.0f} {'':>9} {'':>7} {GOAL_MEMORY:7.0f}")
        print(f"  {sum(found.values())} orphans of {len(found)} kinds: {'just those' if found == wanted else 'WRONG'}")
        if peers:
            met = _measure_asking(server, ours, files) and met
        shutil.rmtree(database.settings.data_directory)
    return met


def _measure_asking(server: LiveServer, ours: float, files: int) -> bool:
    seconds = min(_times(lambda: _ask_database(server.database), 1))
    _row(f"{_BATCH} at a time, of the database itself", seconds, files, f"{seconds / ours:7.1f}")
    start_all(server, omero__sessions__maximum="86400000")
    seconds = min(_times(lambda: _ask_server(server), 1))
    is_met = seconds / ours >= GOAL_ASKING
    rest = f"{seconds / ours:7.1f} {GOAL_ASKING:7.1f}{_missed(is_met)}"
    _row(f"{_BATCH} at a time, of the server", seconds, files, rest)
    return is_met


def _ours(database: DatabaseUnderTest, home: Path, rounds: int) -> tuple[float, float, dict[str, int]]:
    """Seconds of the fastest run, megabytes of the largest, and what was found by kind."""
    environment = {**os.environ, "OMERODIR": str(database.instance.omerodir), "HOME": str(home)}
    arguments = [sys.executable, "-m", "omeroadmin", "admin", "cleanse", "--dry-run", "--json"]
    found: dict[str, int] = {}
    peaks = []

    def run() -> None:
        with (home / "answer").open("wb") as answer:
            process = subprocess.Popen(arguments, env=environment, stdout=answer)
            while process.poll() is None:
                peaks.append(_megabytes(process.pid))
                time.sleep(0.05)
        assert process.returncode == 0
        document = json.loads((home / "answer").read_text())
        found.update({kind: one["count"] for kind, one in document["found"].items()})

    return min(_times(run, rounds)), max(peaks), found


def _megabytes(pid: int) -> float:
    """The peak so far; getrusage would count this process as well, because the other one began as a copy of it."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmHWM:\s+([0-9]+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def _find(directory: Path) -> None:
    arguments = ["find", str(directory), "-type", "f", "-printf", "%p %s\n"]
    subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)


def _ask_database(database: DatabaseUnderTest) -> None:
    """What OMERO's own cleanse does for ids, without a server in between, and the same for paths."""
    data, managed = database.settings.data_directory, database.settings.managed_repository
    with connect(database.address, autocommit=True) as connection:
        for tree, table in _TREES.items():
            query = f"SELECT id FROM {table} WHERE id = ANY(%s)".encode()
            for batch in _batches(_ids(data / tree)):
                known = {number for (number,) in connection.execute(query, ([number for number, _ in batch],))}
                for number, path in batch:
                    if number not in known:
                        path.stat()
        for places in _batches(_paths(managed)):
            rows = connection.execute(
                "SELECT o.path || o.name FROM originalfile o JOIN unnest(%s::text[], %s::text[]) AS n (path, name)"
                " ON o.path = n.path AND o.name = n.name WHERE o.repo = %s",
                ([directory for directory, _ in places], [name for _, name in places], MANAGED_UUID),
            )
            named = {place for (place,) in rows}
            for directory, name in places:
                if directory + name not in named:
                    (managed / directory / name).lstat()


def _ask_server(server: LiveServer) -> None:
    """As many requests to a server as files divided by 25, each with 25 ids, as OMERO's own cleanse makes them.

    The API has that question for users; which table it is about makes no difference to the time it takes.
    """
    api = server.tls().login()
    tops = [server.data / tree for tree in _TREES] + [server.managed]
    files = itertools.chain.from_iterable(_paths(top) for top in tops)
    for batch in _batches(enumerate(files)):
        ids = [number for number, _ in batch]
        assert api.call("POST", "/users/lookup", {"ids": ids}).status == 200


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


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _BATCH)):
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


def _missed(is_met: bool) -> str:
    return "" if is_met else "  MISSED"
