"""A restore makes a second instance, the same to the bit; it goes on after an interruption and destroys nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.database.cluster_facts import apply_own_settings
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import AdminError, AdminWarning
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.restore import RestoreWish, SnapshotPlan, carry_out, plan_restore
from tests.support.backup import Seeded, flip, source, tree  # noqa: F401 - fixture


@pytest.fixture(scope="module")
def target(source: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    directory = tmp_path_factory.mktemp("target") / "target"
    link = source.data / "Pixels" / "dangling"
    link.symlink_to("nowhere/at all")
    (source.managed / "root_0").chmod(0o2775)
    with connect(source.database.address) as connection:
        connection.execute(
            "INSERT INTO configuration VALUES ('PersistentEventLogLoader.v2.current_id', '99')"
            " ON CONFLICT (name) DO UPDATE SET value = '99'"
        )
        connection.execute("INSERT INTO node (id, uuid, conn, up, permissions) VALUES (500, 'n', 'c', now(), -52)")
        connection.execute(
            "INSERT INTO session (id, uuid, node, owner, started, timetoidle, timetolive, defaulteventtype,"
            " permissions) VALUES (500, 'a-bearer-credential', 500, 0, now(), 0, 0, 'User', -120)"
        )
    with connect(source.database.superuser, autocommit=True) as connection:
        connection.execute("ALTER DATABASE omero SET work_mem = '7MB'")
        connection.execute("ALTER DATABASE omero SET log_min_duration_statement = '250ms'")
        connection.execute("ALTER ROLE omero SET search_path = public, pg_catalog")
    update_profile(
        source.database.instance.config_xml,
        {
            "omero.backup.target": str(directory),
            "omero.glacier2.IceSSL.DefaultDir": str(source.data / "certs"),
            "omero.web.static_root": str(source.omerodir / "var" / "static"),
        },
    )
    wish = BackupWish(source.database.instance, load_settings(source.database.instance), directory)
    snapshot = create_backup(wish)
    assert snapshot.consistent, snapshot.faults
    return directory


def planned(target: Path, into: Path, **more: object) -> SnapshotPlan:
    return plan_restore(RestoreWish(target, "latest", into, **more))  # type: ignore[arg-type]


def test_what_was_set_for_the_database_is_set_again(target: Path, tmp_path: Path) -> None:
    plan = planned(target, tmp_path / "second", ports_prefix="2")
    carry_out(plan)
    settings = load_settings(plan.instance)
    address = DatabaseAddress.from_settings(settings)
    names = ("work_mem", "log_min_duration_statement", "search_path")
    embedded.start(plan.instance, settings)
    try:
        with connect(address) as connection:
            found = [connection.execute("SELECT current_setting(%s)", (name,)).fetchone() for name in names]
        assert found == [("7MB",), ("250ms",), ("public, pg_catalog",)]
        # Of a database elsewhere there is no superuser at hand: what the server's role may not set is said.
        [snapshot] = (target / "snapshots").iterdir()
        with pytest.warns(AdminWarning, match="log_min_duration_statement = 250ms.*permission denied") as warned:
            apply_own_settings(address, address, snapshot / "cluster", database="omero", role="omero")
        assert len(warned) >= 1
    finally:
        embedded.stop(plan.instance, settings)


def test_everything_is_the_same(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    plan = planned(target, tmp_path / "second", ports_prefix="2")
    report = carry_out(plan)
    assert report.faults.count == 0, report.faults.kept
    assert report.rows == 18
    data = tmp_path / "second-data"
    expected = {
        path: facts
        for path, facts in tree(source.data).items()
        if not path.startswith(("BioFormatsCache/", "FullText/"))
    }
    assert tree(data) == expected
    assert tree(tmp_path / "second" / "lib" / "scripts") == tree(source.omerodir / "lib" / "scripts")
    assert str((data / "Pixels" / "dangling").readlink()) == "nowhere/at all"
    assert (data / "ManagedRepository" / "root_0").stat().st_mode & 0o7777 == 0o2775
    assert (data / "FullText").is_dir()
    assert not (tmp_path / "second" / "etc" / "internal.cfg").exists()
    assert (tmp_path / "second" / "etc" / "root_password").stat().st_mode & 0o777 == 0o600
    assert not embedded.status(plan.instance).running


def test_properties_and_database_are_its_own(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    plan = planned(target, tmp_path / "second", ports_prefix="2")
    carry_out(plan)
    settings = load_settings(plan.instance)
    assert settings.port("ssl") == 24064
    assert settings.data_directory == tmp_path / "second-data"
    assert settings.text("omero.backup.target") == ""
    assert settings.text("omero.glacier2.IceSSL.DefaultDir") == str(tmp_path / "second-data" / "certs")
    assert settings.text("omero.web.static_root") == str(tmp_path / "second" / "var" / "static")
    address = DatabaseAddress.from_settings(settings)
    assert address.port != source.database.address.port
    assert address.password != source.database.address.password
    embedded.start(plan.instance, settings)
    try:
        with connect(address) as connection:
            facts = connection.execute(
                "SELECT (SELECT count(*) FROM session WHERE closed IS NULL),"
                " (SELECT count(*) FROM node WHERE down IS NULL),"
                " (SELECT value FROM configuration WHERE name = 'PersistentEventLogLoader.v2.current_id'),"
                " (SELECT count(*) FROM originalfile)"
            ).fetchone()
        assert facts == (0, 0, "0", 17)
    finally:
        embedded.stop(plan.instance, settings)


def test_existing_data_is_never_touched(target: Path, tmp_path: Path) -> None:
    precious = tmp_path / "second-data" / "precious.tif"
    precious.parent.mkdir()
    precious.write_bytes(b"mine")
    with pytest.raises(AdminError) as caught:
        planned(target, tmp_path / "second")
    assert caught.value.code == "restore-over-existing"
    assert not (tmp_path / "second").exists()
    assert precious.read_bytes() == b"mine"
    with pytest.raises(AdminError) as caught:
        planned(target, target / "inside")
    assert caught.value.code == "restore-into-target"


def test_no_instance_is_made_in_the_data_of_another(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    """The next backup would save it, and a cleanse would take it for files that no row names."""
    inside = source.data / "inside"
    for into, data in ((inside, None), (tmp_path / "new", inside)):
        with pytest.raises(AdminError) as caught:
            planned(target, into, data_directory=data)
        assert caught.value.code == "restore-into-original"
    assert not inside.exists()


def test_directories_that_can_not_be_are_refused(target: Path, tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        planned(target, tmp_path / "two\nlines")
    assert caught.value.code == "restore-into-invalid"
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(AdminError) as caught:
        planned(target, closed / "second")
    assert (caught.value.code, caught.value.exit_status) == ("file-not-read", 5)
    assert f"{closed}/second can't be read: Permission denied" in caught.value.message


def test_an_interrupted_restore_goes_on(target: Path, tmp_path: Path) -> None:
    first = planned(target, tmp_path / "second")

    class Stop(Exception):  # noqa: N818 - no error, an interruption
        pass

    def stop_at_the_check(number: int, count: int, step: object) -> None:
        if type(step).__name__ == "CheckRestored":
            raise Stop

    with pytest.raises(Stop):
        carry_out(first, stop_at_the_check)
    assert not embedded.status(first.instance).running
    damaged = tmp_path / "second-data" / "Pixels" / "Dir-001" / "1001"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    again = planned(target, tmp_path / "second")
    assert "go on" in again.plan.title
    report = carry_out(again)
    assert report.faults.count == 0, report.faults.kept
    assert (report.files, report.present) == (1, first.snapshot.files - 2)
    # Done is done: a third run would be over existing data.
    with pytest.raises(AdminError) as caught:
        planned(target, tmp_path / "second")
    assert caught.value.code == "restore-done"
    report = carry_out(planned(target, tmp_path / "second", overwrite=True))
    assert report.faults.count == 0
    assert report.files == 0


def test_a_damaged_image_is_named_and_the_others_restored(target: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "target"
    shutil.copytree(target, copy)
    victim = max((path for path in (copy / "pool").rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    flip(victim)
    report = carry_out(planned(copy, tmp_path / "second"))
    assert report.faults.count == 1
    assert report.faults.kept[0].path == "data/ManagedRepository/big_0/large.tif"
    assert report.faults.kept[0].pool_file == str(victim)
    assert not (tmp_path / "second-data" / "ManagedRepository" / "big_0" / "large.tif").exists()
    assert (tmp_path / "second-data" / "Files" / "7").exists()


def test_a_damaged_dump_is_no_plan(target: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "target"
    shutil.copytree(target, copy)
    flip(next(copy.glob("snapshots/*/database/toc.dat")))
    with pytest.raises(AdminError) as caught:
        planned(copy, tmp_path / "second")
    assert caught.value.code == "snapshot-damaged"
    assert "database/toc.dat" in caught.value.message
    assert not (tmp_path / "second").exists()


def test_the_plan_shows_no_secret(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    plan = planned(target, tmp_path / "second")
    text = "\n".join(plan.plan.lines()) + repr(plan)
    assert source.database.address.password not in text
    assert plan.settings.text("omero.db.pass") not in text
    assert json.dumps(plan.plan.lines())
    assert not (tmp_path / "second").exists()
