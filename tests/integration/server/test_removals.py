"""Files of what was deleted: removed after the commit, in one place, which waits while somebody holds it up."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.database.connection import connect
from omeroadmin.database.holds import removals_held
from omeroadmin.system.clock import wait_until
from tests.support.graph import person
from tests.support.liveserver import LiveServer


def stored(server: LiveServer, image: int) -> Path:
    """The file that an image came from."""
    [[place]] = server.sql(
        "SELECT o.path || o.name FROM image i JOIN filesetentry e ON e.fileset = i.fileset"
        " JOIN originalfile o ON o.id = e.originalfile WHERE i.id = %s",
        image,
    )
    return server.managed / str(place)


OF_ONE_IMAGE = 2
"""Files that go with an image: its own, and the log of its import."""


def test_files_wait_while_removals_are_held(live_server: LiveServer) -> None:
    user = person(live_server)
    first, second = user.image()[0], user.image()[0]
    files = [stored(live_server, one) for one in (first, second)]
    with (
        connect(live_server.database.address, autocommit=True) as one,
        connect(live_server.database.address, autocommit=True) as other,
        removals_held(other),
    ):
        with removals_held(one):
            assert user.ask("delete", f"Image:{first}").document["files_removed"] == 0
        assert user.ask("delete", f"Image:{second}").document["files_removed"] == 0
        assert all(file.is_file() for file in files)
        assert live_server.sql("SELECT count(*) > 1 FROM _fs_deletelog") == [(True,)]
    third = user.image()[0]
    assert user.ask("delete", f"Image:{third}").document["files_removed"] == 3 * OF_ONE_IMAGE
    assert not any(file.parent.exists() for file in files)
    assert live_server.sql("SELECT count(*) FROM _fs_deletelog") == [(0,)]


def test_a_killed_holder_holds_nothing_up(live_server: LiveServer) -> None:
    user = person(live_server)
    [image] = user.image()
    connection = connect(live_server.database.address, autocommit=True)
    hold = removals_held(connection)
    hold.__enter__()
    connection.close()
    assert wait_until(
        lambda: (
            live_server.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'")
            == [(0,)]
        ),
        timeout=10,
    )
    assert user.ask("delete", f"Image:{image}").document["files_removed"] == OF_ONE_IMAGE


def test_links_are_removed_and_not_what_they_point_to(live_server: LiveServer, tmp_path: Path) -> None:
    user = person(live_server)
    [image] = user.image()
    file = stored(live_server, image)
    original = tmp_path / "original.png"
    original.write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to(original)
    assert user.ask("delete", f"Image:{image}").document["files_removed"] == OF_ONE_IMAGE
    assert original.is_file()
    assert not file.is_symlink()


def test_paths_that_lead_outside_are_left_alone(live_server: LiveServer, tmp_path: Path) -> None:
    user = person(live_server)
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("kept")
    (live_server.managed / "way-out").symlink_to(victim)
    [[repository]] = live_server.sql(
        "SELECT hash FROM originalfile WHERE mimetype = 'Repository' AND name = %s", live_server.managed.name
    )
    for path, name in (("../" * 20 + str(victim).lstrip("/") + "/", "file"), ("way-out/", "file")):
        live_server.sql("INSERT INTO _fs_deletelog VALUES (0, 0, 0, 0, %s, %s, %s)", path, name, repository)
    [image] = user.image()
    user.ask("delete", f"Image:{image}")
    assert (victim / "file").read_text() == "kept"
    assert live_server.sql("SELECT count(*) FROM _fs_deletelog") == [(0,)]
    (live_server.managed / "way-out").unlink()


def test_what_is_stored_again_stays(live_server: LiveServer) -> None:
    user = person(live_server)
    kept, gone = user.image()[0], user.image()[0]
    live_server.sql(
        "INSERT INTO _fs_deletelog SELECT 0, o.id, 0, 0, o.path, o.name, o.repo FROM image i"
        " JOIN filesetentry e ON e.fileset = i.fileset JOIN originalfile o ON o.id = e.originalfile WHERE i.id = %s",
        kept,
    )
    user.ask("delete", f"Image:{gone}")
    assert stored(live_server, kept).is_file()
    assert live_server.sql("SELECT count(*) FROM _fs_deletelog") == [(0,)]


def test_directories_with_rows_stay(live_server: LiveServer) -> None:
    user = person(live_server)
    [image] = user.image()
    file = stored(live_server, image)
    directory = file.parent.relative_to(live_server.managed)
    [[repository]] = live_server.sql(
        "SELECT o.repo FROM image i JOIN filesetentry e ON e.fileset = i.fileset"
        " JOIN originalfile o ON o.id = e.originalfile WHERE i.id = %s",
        image,
    )
    user.make("OriginalFile", name=directory.name, path=f"{directory.parent}/", repo=repository, mimetype="Directory")
    user.ask("delete", f"Image:{image}")
    assert not file.exists()
    assert file.parent.is_dir()


def test_a_file_that_can_not_be_removed_is_tried_again(live_server: LiveServer) -> None:
    user = person(live_server)
    [image] = user.image()
    file = stored(live_server, image)
    file.parent.chmod(0o500)
    assert user.ask("delete", f"Image:{image}").document["files_removed"] == OF_ONE_IMAGE - 1
    assert live_server.sql("SELECT name FROM _fs_deletelog") == [(file.name,)]
    file.parent.chmod(0o750)
    [other] = user.image()
    assert user.ask("delete", f"Image:{other}").document["files_removed"] == OF_ONE_IMAGE + 1
    assert not file.exists()
