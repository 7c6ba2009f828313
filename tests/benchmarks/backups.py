"""Backups of one tree beside rsync, restic, borg and rdiff-backup: all, 1 % changed, nothing changed."""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.profiles.store import update_profile
from tests.support.components import find
from tests.support.database import DatabaseUnderTest, running_database
from tests.support.omero import Omero

_TIMEOUT = 7200.0
_PER_DIRECTORY = 500
_CHANGED = 0.01
_SHARED = 1 << 22
_MEMORY = 200 << 20


@dataclass(frozen=True)
class Run:
    """What a program took.

    :param seconds: from start to end
    :param memory: bytes at its largest, of the program or any child
    """

    seconds: float
    memory: int


@dataclass
class Tool:
    """A program that makes backups.

    :param backup: takes one; the number tells how many were taken before
    """

    name: str
    backup: Callable[[int], Run]
    taken: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    memory: int = 0

    def take(self, phase: str) -> None:
        """Take one backup, with the disk at rest before."""
        os.sync()
        run = self.backup(self.taken)
        self.taken += 1
        self.seconds.setdefault(phase, []).append(run.seconds)
        self.memory = max(self.memory, run.memory)

    def median(self, phase: str) -> float:
        """Seconds of a phase."""
        return statistics.median(self.seconds[phase])


def measure_backups(directory: Path, rounds: int, *, files: int, size: int, peers: bool = True) -> bool:
    """Measure backups and print the tables.

    :param rounds: runs with a changed tree, and as many with an unchanged one
    :param files: number of files in the tree
    :param size: bytes of all
    :return: whether the goals are reached
    """
    if os.geteuid() == 0:
        print("backups are not measured as root: PostgreSQL refuses to run so")
        return True
    with running_database(directory / "server") as database:
        tree = Tree(database.settings.data_directory / "ManagedRepository" / "bench", files, size)
        tree.make()
        ours, data = _ours(database, directory), database.settings.data_directory
        tools = [
            ours,
            *(_peers(data, directory) if peers else [_rsync_of(data, directory)]),
        ]
        print(f"backups of {files} files, {size / 2**30:.2f} GiB: seconds, and ratio to omero's")
        print(f"{'':<16}{'first':>18}{'1 % changed':>18}{'unchanged':>18}{'peak MiB':>12}")
        for tool in tools:
            tool.take("first")
        for _ in range(rounds):
            tree.change()
            for tool in tools:
                tool.take("changed")
            for tool in reversed(tools):
                tool.take("unchanged")
        for tool in tools:
            _print(tool, ours)
        met = _met(ours, {tool.name: tool for tool in tools})
        return _verify(database, directory) and met


class Tree:
    """Files of many sizes with contents that can't be compressed."""

    def __init__(self, root: Path, files: int, size: int) -> None:
        self._root, self._files = root, files
        self._random = random.Random(20261128)
        self._block = self._random.randbytes(_SHARED)
        mean = size / files
        # Half of the bytes in a tenth of the files, as in a repository with large images and their companions.
        self._small, self._large = round(mean * 0.5 / 0.9), round(mean * 0.5 / 0.1)

    def path(self, number: int) -> Path:
        """Where a file is."""
        return self._root / f"{number // _PER_DIRECTORY:05d}" / f"{number}.tif"

    def make(self) -> None:
        """Write all files, old enough to be unchanged for everybody."""
        for number in range(self._files):
            if number % _PER_DIRECTORY == 0:
                self.path(number).parent.mkdir(parents=True)
            self._write(number)
        old = time.time() - 86400
        for number in range(self._files):
            os.utime(self.path(number), (old, old))

    def change(self) -> None:
        """Write some files anew."""
        for number in self._random.sample(range(self._files), max(1, round(self._files * _CHANGED))):
            self._write(number)
            past = time.time() - self._random.randrange(1000, 80000)
            os.utime(self.path(number), (past, past))

    def _write(self, number: int) -> None:
        size = self._large if number % 10 == 0 else self._small
        with self.path(number).open("wb") as stream:
            stream.write(self._random.randbytes(16)[: size or 1])
            rest = size - 16
            while rest > 0:
                offset = self._random.randrange(_SHARED // 2)
                piece = self._block[offset : offset + min(rest, _SHARED // 2)]
                stream.write(piece)
                rest -= len(piece)


def _ours(database: DatabaseUnderTest, directory: Path) -> Tool:
    omero = _client(database, directory)
    target = directory / "omero"
    command = [sys.executable, "-m", "omeroadmin", "backup", "create", "--quiet", "--target", str(target)]
    return Tool("omero", lambda _: _run(command, omero.environment))


def _client(database: DatabaseUnderTest, directory: Path) -> Omero:
    if not database.instance.config_xml.exists():
        update_profile(database.instance.config_xml, database.settings.explicit())
    return Omero(directory, extra={"OMERODIR": str(database.instance.omerodir)})


def _rsync_of(data: Path, directory: Path) -> Tool:
    command = ["rsync", "-a", "--delete", f"{data}/", f"{directory}/rsync/"]
    return Tool("rsync -a", lambda _: _run(command))


def _peers(data: Path, directory: Path) -> list[Tool]:
    """Everybody who is installed."""
    password = directory / "password"
    password.write_text("secret\n")
    tools = [_rsync_of(data, directory), _link_dest(data, directory)]
    if find("rdiff-backup"):
        rdiff = ["rdiff-backup", str(data), str(directory / "rdiff-backup")]
        tools.append(Tool("rdiff-backup", lambda _: _run(rdiff)))
    if find("restic"):
        tools.append(_restic(data, directory / "restic", password))
    if find("borg"):
        tools.append(_borg(data, directory / "borg"))
    return tools


def _link_dest(data: Path, directory: Path) -> Tool:
    place = directory / "link-dest"
    place.mkdir()

    def backup(taken: int) -> Run:
        before = [f"--link-dest={place / str(taken - 1)}"] if taken else []
        return _run(["rsync", "-a", *before, f"{data}/", f"{place / str(taken)}/"])

    return Tool("rsync link-dest", backup)


def _restic(data: Path, repository: Path, password: Path) -> Tool:
    cache = repository.with_name("restic-cache")
    variables = {"RESTIC_PASSWORD_FILE": str(password), "RESTIC_CACHE_DIR": str(cache)}
    _run(["restic", "init", "-q", "-r", str(repository)], variables)
    return Tool("restic", lambda _: _run(["restic", "backup", "-q", "-r", str(repository), str(data)], variables))


def _borg(data: Path, repository: Path) -> Tool:
    variables = {"BORG_BASE_DIR": str(repository.with_name("borg-base")), "BORG_PASSPHRASE": "secret"}
    _run(["borg", "init", "-e", "repokey", str(repository)], variables)
    return Tool("borg", lambda taken: _run(["borg", "create", f"{repository}::{taken}", str(data)], variables))


def _run(command: Sequence[str], variables: Mapping[str, str] | None = None) -> Run:
    """Run a program that must succeed."""
    environment = {**os.environ, **(variables or {})}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    words = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed ({process.returncode}): {words.decode(errors='replace')[-500:]}")
    return Run(time.perf_counter() - began, usage.ru_maxrss * 1024)


def _print(tool: Tool, ours: Tool) -> None:
    columns = "".join(
        f"{tool.median(phase):9.2f} {tool.median(phase) / ours.median(phase):6.2f} x"
        for phase in ("first", "changed", "unchanged")
    )
    print(f"{tool.name:<16}{columns}{tool.memory / 2**20:12.0f}", flush=True)


def _met(ours: Tool, tools: Mapping[str, Tool]) -> bool:
    rsync = tools["rsync -a"]
    goals = [
        ("first run beside rsync -a", ours.median("first") / rsync.median("first"), 1.3),
        ("1 % changed beside rsync -a", ours.median("changed") / rsync.median("changed"), 2.0),
        ("unchanged beside rsync -a", ours.median("unchanged") / rsync.median("unchanged"), 2.0),
        ("memory, share of 200 MiB", ours.memory / _MEMORY, 1.0),
    ]
    for name, tool in tools.items():
        if tool is ours or tool is rsync:
            continue
        goals += [
            (f"{phase} beside {name}", ours.median(phase) / tool.median(phase), 1 / 3)
            for phase in ("changed", "unchanged")
        ]
    met = [_goal(*goal) for goal in goals]
    return all(met)


def _goal(name: str, figure: float, most: float) -> bool:
    met = figure <= most
    print(f"  {name:<40} {figure:6.2f} x  at most {most:.2f} x{'' if met else '  MISSED'}", flush=True)
    return met


def _verify(database: DatabaseUnderTest, directory: Path) -> bool:
    """Reading everything again, beside sha256sum over the same bytes on as many cores."""
    omero = _client(database, directory)
    cores = os.cpu_count() or 1
    pool = directory / "omero" / "pool"
    listing = directory / "contents"
    listing.write_text("".join(f"{path}\0" for path in pool.rglob("*") if path.is_file()))
    peer = ["xargs", "-0", "-a", str(listing), "-n", "500", "-P", str(cores), "sha256sum"]
    target = ["--target", str(directory / "omero"), "--jobs", str(cores), "--quiet"]
    verify = [sys.executable, "-m", "omeroadmin", "backup", "verify", *target]
    pairs = [(_run(verify, omero.environment).seconds, _run(peer).seconds) for _ in range(3)]
    ours, beside = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"verify {ours:.2f} s, sha256sum {beside:.2f} s on {cores} cores")
    shutil.rmtree(directory / "omero")
    return _goal("verify beside sha256sum", ours / beside, 1.0)
