"""Snapshots of earlier versions stay readable: listed, verified to the last row, restored, and built upon."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.store import find_snapshot, list_snapshots
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from tests.support.snapshot_fixture import FILES, MODIFIED_NS

GOLDEN = Path(__file__).resolve().parents[2] / "golden"


@pytest.fixture(params=sorted(GOLDEN.glob("snapshot-*.tar.xz")), ids=lambda path: path.name)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A target as an earlier version left it."""
    with tarfile.open(request.param) as packed:
        packed.extractall(tmp_path)  # noqa: S202 - our own
    return tmp_path / "target"


def test_an_old_snapshot_is_read_verified_restored_and_built_upon(target: Path, tmp_path: Path) -> None:
    [listed] = list_snapshots(open_engine(target))
    assert listed.snapshot is not None, listed.damage
    assert (listed.snapshot.tag, listed.snapshot.consistent) == ("fixture", True)
    verified = verify_backup(VerifyWish(target, Settings({}), deep=True, temporary=tmp_path))
    assert verified.succeeded, verified.faults
    assert verified.record.rows == len(FILES) + 1
    with plan_restore(RestoreWish(target, "latest", tmp_path / "restored")) as plan:
        report = carry_out(plan)
        assert report.faults.count == 0, report.faults.kept
        instance, settings = plan.instance, load_settings(plan.instance)
    managed = settings.managed_repository
    for path, content in FILES.items():
        assert (managed / path).read_bytes() == content
        assert (managed / path).stat().st_mtime_ns == MODIFIED_NS
    assert (settings.data_directory / "Pixels" / "dangling").is_symlink()
    embedded.start(instance, settings)
    try:
        with connect(DatabaseAddress.from_settings(settings)) as connection:
            assert connection.execute("SELECT count(*) FROM originalfile WHERE size IS NOT NULL").fetchone() == (4,)
        next_one = create_backup(BackupWish(instance, settings, target))
    finally:
        embedded.stop(instance, settings)
    assert next_one.consistent, next_one.faults
    assert next_one.files >= listed.snapshot.files
    # Files of the same time and size were not read again.
    assert next_one.read_files < len(FILES)
    assert find_snapshot(open_engine(target), "latest").id == next_one.id
