"""``admin cleanse`` beside a running server: exactly the orphans are found, moved, put back and purged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.database.connection import connect
from omeroadmin.database.holds import removals_held
from omeroadmin.errors import AdminError
from omeroadmin.repository.orphans.findings import Kind
from omeroadmin.repository.orphans.quarantine import PLACE
from omeroadmin.workflows import cleanse
from omeroadmin.workflows.cleanse import purge_quarantines, restore_quarantine
from tests.support.graph import person
from tests.support.liveserver import LiveServer, live_server  # noqa: F401 - a fixture
from tests.support.orphans import clean, look, plant, settle, tree, wish_of


def test_a_clean_repository_has_no_orphans(live_server: LiveServer) -> None:  # noqa: F811
    person(live_server).image("a", "b")
    settle()
    found, findings = look(wish_of(live_server, may_write=False))
    assert found == {}
    assert findings.problems.count == 0
    assert findings.seen.files >= 3


def test_orphans_of_every_kind_go_and_come_back(live_server: LiveServer) -> None:  # noqa: F811
    person(live_server).image("kept")
    orphans = plant(live_server.data, live_server.managed)
    before = tree(live_server.data)
    settle()
    found, _ = look(wish_of(live_server, may_write=False))
    assert found == orphans.found
    assert set(found) == set(Kind)
    outcome = clean(wish_of(live_server))
    assert outcome.problems.count == 0
    assert {kind: one.count for kind, one in outcome.sums.items()} == {k: len(v) for k, v in orphans.found.items()}
    assert look(wish_of(live_server))[0] == {}, "the second run has nothing to do"
    restored = restore_quarantine(wish_of(live_server), outcome.id)
    assert restored.problems.count == 0
    assert tree(live_server.data) == before
    assert not (outcome.directory or Path()).exists()
    settle()
    outcome = clean(wish_of(live_server, delete=True))
    assert outcome.id == ""
    assert look(wish_of(live_server))[0] == {}
    assert list((live_server.data / ".omero" / "quarantine").glob("*/journal.jsonl")) == []


def test_a_purge_is_for_good(live_server: LiveServer) -> None:  # noqa: F811
    plant(live_server.data, live_server.managed, 1)
    settle()
    outcome = clean(wish_of(live_server))
    assert purge_quarantines(wish_of(live_server, min_age=3600.0)) == []
    [purged] = purge_quarantines(wish_of(live_server))
    assert purged.id == outcome.id
    with pytest.raises(AdminError, match="there is no quarantine"):
        restore_quarantine(wish_of(live_server), outcome.id)


def test_what_is_young_stays(live_server: LiveServer) -> None:  # noqa: F811
    orphans = plant(live_server.data, live_server.managed, 1)
    settle()
    found, findings = look(wish_of(live_server, min_age=3600.0))
    assert found == {}
    assert findings.seen.young >= len(orphans.found) - 1
    clean(wish_of(live_server, delete=True))


def test_imports_under_way_are_left_alone(live_server: LiveServer) -> None:  # noqa: F811
    user = person(live_server)
    content = b"x" * 1000
    begun = user.api.begin_import(("/a/one.bin", content), ("/a/two.bin", content), checksum_algorithms=["SHA1-160"])
    number = begun.document["import_id"]
    assert user.api.call("PUT", f"/imports/{number}/files/0", content).status == 200
    settle()
    assert look(wish_of(live_server))[0] == {}
    assert user.api.call("DELETE", f"/imports/{number}").status == 204


def test_nothing_is_moved_while_a_backup_holds_removals(
    live_server: LiveServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cleanse, "_WAIT_SECONDS", 0.2)
    plant(live_server.data, live_server.managed, 1)
    before = tree(live_server.data)
    settle()
    with (
        connect(live_server.database.address, autocommit=True) as connection,
        removals_held(connection),
        pytest.raises(AdminError) as refused,
    ):
        clean(wish_of(live_server))
    assert refused.value.code == "removals-held"
    assert [path.name for path in (live_server.data / PLACE).iterdir()] == [".lock"]
    assert tree(live_server.data) == before
    clean(wish_of(live_server, delete=True))


def test_what_changed_since_the_oldest_transaction_began_stays(live_server: LiveServer) -> None:  # noqa: F811
    with connect(live_server.database.address) as connection:
        connection.execute("SELECT 1")
        settle()
        orphans = plant(live_server.data, live_server.managed, 1)
        settle()
        found, findings = look(wish_of(live_server))
        assert found == {}, "the transaction may be going to name them"
        assert findings.seen.young >= len(orphans.found) - 1
    assert look(wish_of(live_server))[0] == orphans.found
    clean(wish_of(live_server, delete=True))


def test_a_foreign_repository_is_refused(live_server: LiveServer, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "OMERO" / ".omero" / "repository" / "another").mkdir(parents=True)
    with pytest.raises(AdminError) as refused:
        look(wish_of(live_server, directory=tmp_path / "OMERO"))
    assert refused.value.code == "repository-foreign"
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdminError) as refused:
        look(wish_of(live_server, directory=tmp_path / "empty"))
    assert refused.value.code == "repository-unmarked"
    marker = live_server.data / ".omero" / "repository" / "another"
    marker.mkdir()
    with pytest.raises(AdminError) as refused:
        look(wish_of(live_server))
    assert refused.value.code == "repository-shared"
    marker.rmdir()


def test_named_directories_and_unknown_names_stay(live_server: LiveServer) -> None:  # noqa: F811
    user = person(live_server)
    [[repository]] = live_server.sql(
        "SELECT hash FROM originalfile WHERE mimetype = 'Repository' AND name = %s", live_server.managed.name
    )
    (live_server.managed / "volume-B" / "x").mkdir(parents=True)
    user.make("OriginalFile", name="volume-B", path="/", repo=repository, mimetype="Directory")
    user.make("OriginalFile", name="file", path="volume-B/x/", repo=repository, size=3)
    notes = live_server.data / "Files" / "README"
    notes.write_text("an admin's")
    settle()
    found, findings = look(wish_of(live_server))
    assert found == {}
    assert findings.seen.unknown >= 1
    os.unlink(notes)  # noqa: PTH108
    live_server.sql("DELETE FROM originalfile WHERE path = 'volume-B/x/'")
    settle()
    assert look(wish_of(live_server))[0] == {Kind.EMPTY_DIRECTORY: {"volume-B/x"}}
