"""A repository with orphans of every kind, for tests of ``admin cleanse``."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.repository.layout import id_path
from omeroadmin.repository.orphans.findings import Kind
from omeroadmin.workflows.cleanse import CleanseWish, Outcome, cleansing
from omeroadmin.workflows.cleanse_find import Findings
from tests.support.liveserver import LiveServer

_UNUSED = 900_000_000
_OLD_SECONDS = 10 * 86_400


@dataclass
class Orphans:
    """What was put there, by kind: paths below the root of its kind."""

    found: dict[Kind, set[str]] = field(default_factory=dict)

    def add(self, kind: Kind, path: str) -> None:
        """Remember one."""
        self.found.setdefault(kind, set()).add(path)


def put(path: Path, content: bytes = b"orphan", *, old: bool = False) -> Path:
    """A file with its directories.

    :param old: whether it was written ten days ago
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if old:
        moment = time.time() - _OLD_SECONDS
        os.utime(path, (moment, moment))
    return path


def plant(data: Path, managed: Path, count: int = 2) -> Orphans:
    """Put orphans of every kind into a repository.

    :param count: of each kind
    """
    orphans = Orphans()
    for number in range(count):
        place = id_path(_UNUSED + number * 7919)
        for tree, kind in (("Files", Kind.FILE), ("Pixels", Kind.PIXELS), ("Thumbnails", Kind.THUMBNAIL)):
            orphans.add(kind, f"{tree}/{place}")
            put(data / tree / place)
        for name, kind in (
            (f"{place.name}_pyramid", Kind.PYRAMID),
            (f".{place.name}_pyramid.pyr_lock", Kind.LOCK),
            (f".{place.name}_pyramid.0123456789ab.tmp", Kind.TEMPORARY),
        ):
            orphans.add(kind, f"Pixels/{place.parent}/{name}")
            put(data / "Pixels" / place.parent / name, old=True)
        directory = id_path(_UNUSED + 1000 * (number + 1))
        orphans.add(Kind.FILES_DIRECTORY, f"Files/{directory}")
        put(data / "Files" / directory / "inside" / "file")
        top = f"gone_{number}"
        orphans.add(Kind.LEFTOVER, f"{top}/2020-01/cell.png")
        put(managed / top / "2020-01" / "cell.png")
        for path in (top, f"{top}/2020-01", f"{top}/2020-02"):
            orphans.add(Kind.EMPTY_DIRECTORY, path)
            (managed / path).mkdir(exist_ok=True)
    return orphans


def found_paths(findings: Findings) -> dict[Kind, set[str]]:
    """What was found, as :class:`Orphans` has it."""
    found: dict[Kind, set[str]] = {}
    for one in findings.spool:
        found.setdefault(one.kind, set()).add(one.path)
    return found


def wish_of(server: LiveServer, **more: object) -> CleanseWish:
    """A wish for a live server's repository."""
    return CleanseWish(server.database.instance, server.database.settings, **more)  # type: ignore[arg-type]


def look(wish: CleanseWish) -> tuple[dict[Kind, set[str]], Findings]:
    """Find without moving; the spool is closed afterwards."""
    with cleansing(wish) as run:
        findings = run.find()
        return found_paths(findings), findings


def clean(wish: CleanseWish) -> Outcome:
    """Find and move."""
    with cleansing(wish) as run:
        return run.carry_out(run.find())


def tree(root: Path) -> dict[str, bytes | None]:
    """All files and directories of a repository but for quarantines and locks."""
    found: dict[str, bytes | None] = {}
    for path in root.rglob("*"):
        relative = str(path.relative_to(root))
        if ".omero/quarantine" not in relative:
            found[relative] = path.read_bytes() if path.is_file() else None
    return found


def settle() -> None:
    """Let the clock of the kernel go on, so that what was made is older than what follows."""
    begun = time.time_ns()
    while time.time_ns() - begun < 60_000_000:
        time.sleep(0.005)
