"""A part of a snapshot is restored alone: files without an instance, configuration, database."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import AdminError
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.install import ExternalDatabase
from omeroadmin.workflows.restore import RestoreWish, SnapshotPlan, carry_out, plan_restore
from omeroadmin.workflows.restore_steps import RestoreReport
from tests.support.backup import Seeded, source, tree  # noqa: F401 - fixture
from tests.support.database import running_database

LARGE = "ManagedRepository/big_0/large.tif"
LEFT_OUT = ("BioFormatsCache/", "FullText/")


@pytest.fixture(scope="module")
def target(source: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    directory = tmp_path_factory.mktemp("target") / "target"
    instance = source.database.instance
    assert create_backup(BackupWish(instance, load_settings(instance), directory)).consistent
    return directory


def planned(target: Path, into: Path, *only: str, **more: object) -> SnapshotPlan:
    return plan_restore(RestoreWish(target, "latest", into, only=only, **more))  # type: ignore[arg-type]


def restored(target: Path, into: Path, *only: str, **more: object) -> RestoreReport:
    with planned(target, into, *only, **more) as plan:
        report = carry_out(plan)
    assert report.faults.count == 0, report.faults.kept
    return report


def test_one_file_comes_back(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    into = tmp_path / "rescued"
    report = restored(target, into, str(source.data / LARGE))
    assert report.files == 1
    assert tree(into) == {LARGE: tree(source.data)[LARGE]}
    assert (into / "ManagedRepository").stat().st_mode == source.managed.stat().st_mode


def test_directories_come_back(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    report = restored(target, tmp_path / "rescued", "ManagedRepository/order/a", "Files")
    assert set(tree(tmp_path / "rescued")) == {"Files/7", "ManagedRepository/order/a/same.txt"}
    assert report.files == 2


def test_the_repository_comes_back_whole(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    into = tmp_path / "OMERO"
    restored(target, into, "repository")
    expected = {path: facts for path, facts in tree(source.data).items() if not path.startswith(LEFT_OUT)}
    assert tree(into) == expected


def test_files_are_restored_over_damaged_ones_only_when_asked(
    source: Seeded,  # noqa: F811
    target: Path,
    tmp_path: Path,
) -> None:
    data = tmp_path / "OMERO"
    (data / LARGE).parent.mkdir(parents=True)
    (data / LARGE).write_bytes(b"damaged")
    (data / "ManagedRepository" / "newer.tif").write_bytes(b"newer")
    with pytest.raises(AdminError) as caught:
        planned(target, data, LARGE)
    assert caught.value.code == "restore-over-existing"
    assert (data / LARGE).read_bytes() == b"damaged"
    restored(target, data, LARGE, overwrite=True)
    assert tree(data)[LARGE] == tree(source.data)[LARGE]
    assert (data / "ManagedRepository" / "newer.tif").read_bytes() == b"newer"
    assert sorted(path.name for path in data.iterdir()) == ["ManagedRepository"]


def test_an_interrupted_one_goes_on(target: Path, tmp_path: Path) -> None:
    into = tmp_path / "OMERO"

    class Stop(Exception):  # noqa: N818 - no error, an interruption
        pass

    def stop_at_the_check(number: int, count: int, step: object) -> None:
        if type(step).__name__ == "CheckRestored":
            raise Stop

    with planned(target, into, "repository") as plan, pytest.raises(Stop):
        carry_out(plan, stop_at_the_check)
    (into / LARGE).unlink()
    with pytest.raises(AdminError):
        planned(target, into, "Files")
    with planned(target, into, "repository") as plan:
        assert "go on" in plan.plan.title
        report = carry_out(plan)
    assert (report.files, report.faults.count) == (1, 0)
    assert not (into / ".omero-restore.json").exists()


def test_the_configuration_alone(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    into = tmp_path / "second"
    restored(target, into, "config", data_directory=Path("/somewhere/OMERO"))
    saved = source.database.instance
    assert (into / "etc" / "root_password").read_bytes() == saved.root_password_file.read_bytes()
    assert tree(into / "lib" / "scripts") == tree(saved.scripts_directory)
    assert not (into / "var" / "postgresql").exists()
    settings = load_settings(source.database.instance.__class__(into))
    assert settings.data_directory == Path("/somewhere/OMERO")
    # It is the database that stays.
    assert settings.text("omero.db.pass") == source.database.address.password
    assert not Path("/somewhere").exists()


def test_the_configuration_alone_keeps_to_the_data_that_are_there(
    source: Seeded,  # noqa: F811
    tmp_path: Path,
) -> None:
    instance, target = source.database.instance, tmp_path / "target"
    update_profile(instance.config_xml, {"omero.backup.target": str(target)})
    try:
        create_backup(BackupWish(instance, load_settings(instance)))
        into = tmp_path / "second"
        restored(target, into, "config")
        settings = load_settings(instance.__class__(into))
        assert settings.data_directory == source.data
        assert settings.text("omero.backup.target") == str(target)
        assert not (tmp_path / "second-data").exists()
    finally:
        update_profile(instance.config_xml, {"omero.backup.target": ""})


def test_the_database_alone(source: Seeded, target: Path, tmp_path: Path) -> None:  # noqa: F811
    into = tmp_path / "second"
    report = restored(target, into, "database", ports_prefix="2")
    assert report.rows == 18
    assert not (tmp_path / "second-data").exists()
    instance = source.database.instance.__class__(into)
    assert not (into / "etc" / "root_password").exists()
    settings = load_settings(instance)
    embedded.start(instance, settings)
    try:
        with connect(DatabaseAddress.from_settings(settings)) as connection:
            assert connection.execute("SELECT count(*) FROM originalfile").fetchone() == (17,)
    finally:
        embedded.stop(instance, settings)


def test_the_database_alone_into_one_that_others_run(target: Path, tmp_path: Path) -> None:
    with running_database(tmp_path / "other", schema=False) as other:
        address = other.address
        external = ExternalDatabase(address.host, address.port, address.name, address.user, address.password)
        restored(target, tmp_path / "second", "database", database=external)
        with connect(address) as connection:
            assert connection.execute("SELECT count(*) FROM originalfile").fetchone() == (17,)
        assert not (tmp_path / "second" / "var" / "postgresql").exists()


def test_a_path_that_was_not_saved_is_named(target: Path, tmp_path: Path) -> None:
    for path in ("ManagedRepository/none.tif", "/etc/passwd", "../../etc/passwd"):
        with pytest.raises(AdminError) as caught:
            planned(target, tmp_path / "rescued", LARGE, path)
        assert caught.value.code == "path-not-saved"
    assert not (tmp_path / "rescued").exists()


def test_plan_says_how_much(target: Path, tmp_path: Path) -> None:
    with planned(target, tmp_path / "rescued", LARGE) as plan:
        assert "restore 1 files (3000000 bytes)" in "\n".join(plan.plan.lines())
        assert LARGE in plan.plan.title
        assert not plan.makes_instance
