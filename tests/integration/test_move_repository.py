"""The binary repository moves to other places, with a real server, and back where that fails."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.omero import Omero, install
from tests.support.rounds import rounds

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="servers refuse to run as root")

KILLS = rounds(12)
"""Kills of each kind of move."""
CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omero]:
    """A running instance with an image in it, whose repository the tests move about."""
    omero = install(tmp_path_factory.mktemp("moved"), "1")
    samples = omero.home / "samples"
    script = CHECKOUT / "contrib" / "samples" / "make_samples.py"
    subprocess.run([sys.executable, str(script), str(samples)], check=True, timeout=120)
    omero.ok("admin", "start")
    try:
        log_in(omero)
        omero.ok("import", str(samples))
        yield omero
    finally:
        omero.run("admin", "stop")


def log_in(omero: Omero) -> None:
    """Sessions end with the server."""
    password = omero.omerodir / "etc" / "root_password"
    omero.ok("login", f"root@localhost:{omero.prefix}4064", "--password-file", str(password))


def setting(omero: Omero, name: str = "omero.data.dir") -> str:
    """The value of a property."""
    return omero.ok("config", "get", name).strip()


def repositories(omero: Omero) -> dict[str, str]:
    """Paths of the repositories, as the running server knows them."""
    return {item["type"]: item["path"] for item in omero.json("fs", "repos", "--style", "json")["repositories"]}


def originals(place: Path) -> dict[str, bytes]:
    """What was imported."""
    found = {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and ".omero" not in path.parts and not path.name.endswith(".log")
    }
    assert found
    return found


def place_of(omero: Omero) -> Path:
    """Where the managed repository is now."""
    return Path(setting(omero, "omero.managed.dir") or Path(setting(omero)) / "ManagedRepository")


def assert_usable(omero: Omero, expected: dict[str, bytes]) -> None:
    """The server finds each image's files and shows its pixels."""
    log_in(omero)
    assert originals(place_of(omero)) == expected
    for image in omero.json("fs", "images", "--style", "json")["images"]:
        done = omero.run("download", f"Image:{image['id']}", str(omero.home / f"downloaded-{time.monotonic_ns()}"))
        assert done.returncode == 0, done


def test_the_managed_repository_is_renamed(moved: Omero) -> None:
    expected = originals(place_of(moved))
    new = moved.home / "managed"
    dry = moved.ok("admin", "move-managed", str(new), "--dry-run")
    assert f"rename {moved.data / 'ManagedRepository'} to {new}" in dry
    assert not new.exists()
    moved.ok("config", "set", "omero.backup.target", str(moved.home / "backup"))
    moved.ok("admin", "move-managed", str(new), "--backup", "--yes", timeout=300)
    assert moved.json("backup", "list", "--json")["snapshots"][0]["tag"] == "before move-managed"
    assert setting(moved, "omero.managed.dir") == str(new)
    assert not (moved.data / "ManagedRepository").exists()
    assert_usable(moved, expected)
    assert repositories(moved)["Managed"].rstrip("/") == str(new)
    again = moved.ok("admin", "move-managed", str(new))
    assert "nothing to do" in again


def test_all_data_is_copied_while_the_server_goes_on(moved: Omero) -> None:
    expected = originals(place_of(moved))
    old, new = Path(setting(moved)), moved.home / "copied"
    new.mkdir()
    dry = moved.ok("admin", "move-data", str(new), "--copy", "--dry-run")
    assert "while the server goes on" in dry
    done = moved.ok("admin", "move-data", str(new), "--copy", "--yes", timeout=300)
    assert f"rm -r {old}" in done
    assert setting(moved) == str(new)
    assert setting(moved, "omero.managed.dir") == str(moved.home / "managed"), "what lies elsewhere stays there"
    assert_usable(moved, expected)
    shutil.rmtree(old)
    assert moved.run("admin", "status").returncode == 0


def test_a_start_that_fails_puts_everything_back(moved: Omero) -> None:
    expected = originals(place_of(moved))
    before = setting(moved)
    new = moved.home / "unlucky"
    # The certificates' directory lies in what moves; its property names it by another path, which then leads nowhere.
    alias = moved.home / "alias"
    alias.symlink_to(Path(before) / "certs")
    own = setting(moved, "omero.glacier2.IceSSL.DefaultDir")
    moved.ok("config", "set", "omero.glacier2.IceSSL.DefaultDir", str(alias))
    done = moved.run("admin", "move-data", str(new), "--yes", timeout=300)
    assert done.returncode == 3, done
    assert "certificate" in done.stderr
    assert "everything is put back" in done.stderr
    assert setting(moved) == before
    assert not new.exists()
    assert not (moved.omerodir / "var" / "move.json").exists()
    moved.ok("config", "set", "omero.glacier2.IceSSL.DefaultDir", own)
    assert_usable(moved, expected)


@pytest.mark.parametrize(
    ("place", "status", "words"),
    [
        ("{data}/inside", 3, "lie in each other"),
        ("{home}/nowhere/new", 3, "mkdir"),
        ("{home}/samples", 3, "not empty"),
        ("{home}/samples/FILE", 3, "not a directory"),
        ("{home}/new\nline", 3, "can't be the name"),
        ("{home}/OMERO.server/var/data", 3, "which is the servers'"),
        ("{home}/closed/new", 3, "not writable"),
        ("/root/closed/new", 5, "can't be read"),
    ],
)
def test_bad_places_change_nothing(moved: Omero, place: str, status: int, words: str) -> None:
    file = next((moved.home / "samples").iterdir())
    (moved.home / "closed").mkdir(mode=0o500, exist_ok=True)
    text = place.format(data=setting(moved), home=moved.home).replace("FILE", file.name)
    before = setting(moved)
    done = moved.run("admin", "move-data", text, "--yes")
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert setting(moved) == before
    assert moved.run("admin", "status").returncode == 0


def test_nothing_to_undo(moved: Omero) -> None:
    assert moved.run("admin", "move-data", "--undo").returncode == 3
    assert moved.run("admin", "move-data").returncode == 2
    assert moved.run("admin", "move-data", "/new", "--undo").returncode == 2


@pytest.mark.parametrize("copy", [False, True])
def test_killed_at_any_moment(moved: Omero, copy: bool) -> None:
    """Run again it ends well, or is taken back; a start in between says what to do or finds all files."""
    moved.ok("admin", "stop")
    generator = random.Random(20261128 + copy)
    expected = originals(place_of(moved))
    options = ["--copy", "--remove-old"] if copy else []
    began = time.monotonic()
    moved.ok("admin", "move-managed", str(moved.home / "timed"), *options, "--yes")
    whole = time.monotonic() - began
    killed = 0
    for number in range(KILLS):
        old, new = place_of(moved), moved.home / f"place-{copy}-{number}"
        with subprocess.Popen(
            [sys.executable, "-m", "omeroadmin", "admin", "move-managed", str(new), *options, "--yes"],
            env=moved.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            try:
                process.wait(whole * (0.4 + 0.6 * generator.random()))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        half = place_of(moved)
        if not half.is_dir():
            done = moved.run("admin", "start")
            assert done.returncode == 3
            assert "--undo" in done.stderr
            assert str(new) in done.stderr
        else:
            assert originals(half) == expected
        under_way = (moved.omerodir / "var" / "move.json").exists()
        if under_way and generator.random() < 0.4:
            back = moved.run("admin", "move-managed", "--undo", "--yes")
            assert back.returncode == 0 or "in use already" in back.stderr, back
            if back.returncode == 0:
                assert place_of(moved) == old
                assert originals(old) == expected
        moved.ok("admin", "move-managed", str(new), *options, "--yes")
        assert place_of(moved) == new
        assert originals(new) == expected
        assert not (moved.omerodir / "var" / "move.json").exists()
        assert not old.exists() or not copy or not any(old.iterdir())
    assert killed > KILLS // 4
    moved.ok("admin", "start")
    assert_usable(moved, expected)


def test_a_repository_whose_disk_is_missing_is_not_made_anew(moved: Omero) -> None:
    moved.ok("admin", "stop")
    place = place_of(moved)
    place.rename(place.with_name("unmounted"))
    place.mkdir()
    try:
        done = moved.run("admin", "start")
        assert done.returncode != 0
        assert "no marker" in done.stderr
        assert not (place / ".omero").exists()
    finally:
        shutil.rmtree(place)
        place.with_name("unmounted").rename(place)
    moved.ok("admin", "start")
    document = json.loads(moved.ok("admin", "diagnostics", "--json"))
    assert document
