"""``omero admin fixpyramids`` and ``removepyramids`` around the running server, whose PixelData makes new ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.omero import Omero


@pytest.fixture
def pyramid(server: Omero) -> Path:
    """A pyramid of the large sample, which other tests may have imported as well."""

    def found() -> list[Path]:
        return [path for path in (server.data / "Pixels").rglob("*_pyramid") if path.stat().st_size]

    assert wait_until(lambda: bool(found()), timeout=60)
    return min(found())


def is_made(path: Path) -> bool:
    """Whether it is whole."""
    return path.exists() and path.stat().st_size > 1000 and path.read_bytes()[:2] == b"II"


def test_an_empty_pyramid_is_made_again(server: Omero, pyramid: Path) -> None:
    assert server.ok("admin", "fixpyramids", "--dry-run") == "nothing to do\n"
    os.truncate(pyramid, 0)
    lock = pyramid.with_name(f".{pyramid.name}.123.tmp")
    lock.touch()
    done = server.run("admin", "fixpyramids", "--yes")
    assert (done.returncode, done.stdout) == (0, "nothing to do\n")
    assert f"{lock.name} says that it is being written" in done.stderr
    lock.unlink()
    assert str(pyramid) in server.ok("admin", "fixpyramids", "--dry-run")
    assert server.run("admin", "fixpyramids").returncode == 2
    assert pyramid.stat().st_size == 0
    document = server.json("admin", "fixpyramids", "--yes", "--wait", "60", "--json")
    assert ([one["path"] for one in document["removed"]], document["asked"]) == ([str(pyramid)], 1)
    assert is_made(pyramid)


def test_pyramids_are_removed_and_made_again(server: Omero, pyramid: Path) -> None:
    before = pyramid.stat().st_mtime_ns
    for arguments in (("--endian", "big"), ("--imported-after", "2100-01-01")):
        assert server.ok("admin", "removepyramids", "--dry-run", *arguments) == "nothing to do\n"
    chosen = ("--endian", "little", "--imported-after", "2020-01-01", "--limit", "50")
    planned = server.json("admin", "removepyramids", "--dry-run", "--json", *chosen)
    assert {one["endian"] for one in planned["removed"]} == {"little"}
    assert pyramid.stat().st_mtime_ns == before
    server.ok("admin", "removepyramids", "--yes", "--wait", "60", *chosen)
    assert is_made(pyramid)
    assert pyramid.stat().st_mtime_ns != before


def test_pyramids_that_are_missing_or_of_nobody(server: Omero, pyramid: Path) -> None:
    pyramid.unlink()
    stray = pyramid.with_name("987_pyramid")
    stray.touch()
    done = server.run("admin", "fixpyramids", "--missing", "--yes", "--wait", "60")
    assert (done.returncode, "belong to no image" in done.stderr) == (0, True)
    assert is_made(pyramid)
    assert stray.exists()
    stray.unlink()
