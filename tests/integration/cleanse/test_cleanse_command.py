"""``omero admin cleanse`` as an admin types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.graph import person
from tests.support.liveserver import LiveServer, command_line, live, start_all
from tests.support.omero import Omero
from tests.support.orphans import plant, settle


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live(tmp_path_factory.mktemp("command")) as server:
        yield start_all(server)


@pytest.fixture
def omero(server: LiveServer, tmp_path: Path) -> Omero:
    return command_line(server, tmp_path)


def test_from_dry_run_to_purge(server: LiveServer, omero: Omero) -> None:
    orphans = plant(server.data, server.managed, 1)
    settle()
    lines = omero.ok("admin", "cleanse", "--dry-run", "-v")
    assert all(path in lines for paths in orphans.found.values() for path in paths)
    document = json.loads(omero.ok("admin", "cleanse", "--dry-run", "--json", "-v", str(server.data)))
    assert {kind: one["count"] for kind, one in document["found"].items()} == {
        str(kind): len(paths) for kind, paths in orphans.found.items()
    }
    assert {item["path"] for item in document["items"]} == {path for paths in orphans.found.values() for path in paths}
    only = json.loads(omero.ok("admin", "cleanse", "--dry-run", "--json", "--subdirectory", "Thumbnails"))
    assert set(only["found"]) == {"thumbnail"}
    done = omero.run("admin", "cleanse", "--delete")
    assert (done.returncode, "confirmation-needed" in done.stderr or "--yes" in done.stderr) == (2, True)
    moved = json.loads(omero.ok("admin", "cleanse", "--yes", "--json"))
    assert moved["moved"] == document["found"]
    assert "nothing to do" in omero.ok("admin", "cleanse", "--yes")
    restored = json.loads(omero.ok("admin", "cleanse", "--restore", moved["quarantine"], "--json"))
    assert restored["quarantines"][0]["problems"] == 0
    settle()
    place = server.data.parent / "aside"
    moved = json.loads(omero.ok("admin", "cleanse", "--yes", "--json", "--quarantine", str(place)))
    assert moved["moved"] == document["found"]
    assert (place / moved["quarantine"] / "content").is_dir()
    purged = omero.ok("admin", "cleanse", "--purge", moved["quarantine"], "--yes", "--quarantine", str(place))
    assert f"{moved['quarantine']}: " in purged
    assert not (place / moved["quarantine"]).exists()
    for wrong in (
        ("--dry-run", "--restore", "any"),
        ("--min-age", "long ago"),
        ("--restore", "nothing"),
        ("--purge", "nothing", "--yes"),
    ):
        assert omero.run("admin", "cleanse", *wrong).returncode == 2


def test_what_can_not_be_judged_is_told(server: LiveServer, omero: Omero) -> None:
    closed = server.managed / "closed"
    closed.mkdir(mode=0)
    done = omero.run("admin", "cleanse", "--dry-run")
    closed.chmod(0o700)
    closed.rmdir()
    assert done.returncode == 5
    assert "closed: can't be entered: Permission denied" in done.stderr


def test_filesets_without_images(server: LiveServer, omero: Omero) -> None:
    user = person(server)
    [image], [kept] = user.image("broken"), user.image("kept")
    [[fileset, prefix]] = server.sql(
        "SELECT f.id, f.templateprefix FROM fileset f JOIN image i ON i.fileset = f.id WHERE i.id = %s", image
    )
    server.sql("UPDATE image SET fileset = NULL WHERE id = %s", image)
    settle()
    document = json.loads(omero.ok("admin", "cleanse", "--dry-run", "--json"))
    assert [(one["id"], one["files"]) for one in document["filesets"]] == [(fileset, 1)]
    omero.ok("login", "root@localhost", "--password-file", "password")
    assert (server.managed / str(prefix)).is_dir()
    omero.ok("admin", "cleanse", "--yes")
    assert server.sql("SELECT count(*) FROM fileset WHERE id = %s", fileset) == [(1,)], "only on demand"
    document = json.loads(omero.ok("admin", "cleanse", "--yes", "--filesets", "--json"))
    assert document["filesets_removed"] == 1
    assert server.sql("SELECT count(*) FROM fileset WHERE id = %s", fileset) == [(0,)]
    assert not (server.managed / str(prefix)).exists()
    assert server.sql("SELECT count(*) FROM fileset f JOIN image i ON i.fileset = f.id WHERE i.id = %s", kept) == [(1,)]
