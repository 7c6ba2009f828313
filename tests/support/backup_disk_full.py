"""Backups onto a file system that is too small; run in a namespace where mounting is possible.

Usage: python -m tests.support.backup_disk_full DIRECTORY
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.backup import Seeded, seeded_instance
from tests.support.omero import Omero


def main(directory: Path) -> None:
    """Fill the target at several moments, see what is said and what is left, make room and go on."""
    target = directory / "target"
    target.mkdir(mode=0o700)
    with seeded_instance(directory) as seeded:
        omero = Omero(seeded.omerodir.parent)
        for size in ("40k", "300k", "1m", "3m"):
            with mounted(target, size):
                assert_fails(omero, target)
                assert not list((target / "snapshots").iterdir()), size
        with mounted(target, "12m"):
            omero.ok("backup", "create", "--target", str(target), "--quiet")
            fills_later(omero, seeded, target)


class mounted:  # noqa: N801 - used like a function
    """A small file system in a directory, for the length of the block."""

    def __init__(self, target: Path, size: str) -> None:
        self._target, self._size = str(target), size

    def __enter__(self) -> None:
        options = f"size={self._size},mode=700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self._target], check=True)

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", self._target], check=True)


def fills_later(omero: Omero, seeded: Seeded, target: Path) -> None:
    """What was there stays whole, what came is gone, and with room it goes on."""
    before = names(target)
    for number in range(20):
        seeded.add_file("full_0/", f"{number}.tif", bytes([number]) * 1_000_000)
    assert_fails(omero, target)
    assert names(target) == before
    omero.ok("backup", "verify", "--deep", "--target", str(target))
    for number in range(5, 20):
        (seeded.managed / "full_0" / f"{number}.tif").write_bytes(b"")
    done = omero.run("backup", "create", "--target", str(target), "--quiet")
    assert done.returncode == 5, done.stderr
    assert len(done.stderr.splitlines()) == 15, done.stderr
    assert len(omero.json("backup", "list", "--target", str(target), "--json")["snapshots"]) == 2


def names(target: Path) -> set[str]:
    """All files of a target but the one with the date of the last verification."""
    return {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}


def assert_fails(omero: Omero, target: Path) -> None:
    """One line, a hint, and nothing of the snapshot is left."""
    done = omero.run("backup", "create", "--target", str(target), "--quiet")
    assert (done.returncode, done.stdout) == (5, ""), done
    lines = done.stderr.splitlines()
    assert len([line for line in lines if line.startswith("omero: ")]) == 1, done.stderr
    assert all(line.startswith(("omero: ", "  -> ")) for line in lines), done.stderr
    assert "No space left on device" in done.stderr, done.stderr
    assert "df -h" in done.stderr, done.stderr
    assert not list((target / "partial").iterdir())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
