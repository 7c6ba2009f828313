"""A backup restores into a second instance that shows the same images, and damage is named."""

from __future__ import annotations

import filecmp
import json
import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import login
from tests.support.omero import Omero, free_prefix


@pytest.fixture(scope="module")
def target(server: Omero, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup target with one snapshot of the server."""
    directory = tmp_path_factory.mktemp("backup") / "target"
    server.ok("backup", "create", "--target", str(directory), timeout=300)
    return directory


def test_the_default_target_is_the_property(server: Omero, target: Path) -> None:
    server.ok("config", "set", "omero.backup.target", str(target))
    document = server.json("backup", "list", "--json")
    assert len(document["snapshots"]) >= 1


def test_verify_proves_the_snapshot(server: Omero, target: Path) -> None:
    server.ok("backup", "verify", "--target", str(target), timeout=300)


def test_restore_gives_the_same_server(server: Omero, target: Path, tmp_path: Path) -> None:
    second = Omero(tmp_path, free_prefix(2))
    places = ["--into", str(second.omerodir), "--data-dir", str(second.data), "--ports-prefix", second.prefix]
    try:
        server.ok("backup", "restore", "latest", "--target", str(target), *places, "--yes", "--start", timeout=300)
        login(second)
        expected = json.loads(server.ok("fs", "images", "--style", "json"))["images"]
        assert json.loads(second.ok("fs", "images", "--style", "json"))["images"] == expected
    finally:
        second.run("admin", "stop")
    originals = [path for path in (server.data / "ManagedRepository").rglob("*") if path.is_file()]
    originals = [path for path in originals if ".omero" not in path.parts]
    assert originals
    for path in originals:
        copy = second.data / path.relative_to(server.data)
        assert filecmp.cmp(path, copy, shallow=False), path


def test_restore_never_overwrites(server: Omero, target: Path) -> None:
    before = server.ok("config", "get", "omero.data.dir")
    done = server.run("backup", "restore", "latest", "--target", str(target), "--into", str(server.omerodir), "--yes")
    assert done.returncode in range(2, 7)
    assert server.ok("config", "get", "omero.data.dir") == before


def test_verify_names_a_damaged_file(server: Omero, target: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(target, damaged)
    imported = {path.read_bytes() for path in (server.data / "ManagedRepository").rglob("*") if path.is_file()}
    pool = [path for path in (damaged / "pool").rglob("*") if path.is_file() and path.read_bytes() in imported]
    victim = max(pool, key=lambda path: path.stat().st_size)
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.chmod(0o600)
    victim.write_bytes(content)
    done = server.run("backup", "verify", "--target", str(damaged), timeout=300)
    assert done.returncode == 5, done
    assert victim.name in done.stdout + done.stderr
    assert re.search(r"ManagedRepository/\S+", done.stdout + done.stderr)
