"""Instances laid out otherwise: repository and certificates on other disks, a database that others run."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.database.connection import connect
from omeroadmin.errors import AdminError
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.install import ExternalDatabase
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from tests.support.backup import seed, tree
from tests.support.database import running_database


def test_trees_outside_and_an_external_database(tmp_path: Path) -> None:
    disk, keys = tmp_path / "disk" / "images", tmp_path / "keys"
    disk.mkdir(parents=True)
    keys.mkdir()
    (keys / "server.key").write_bytes(b"secret")
    (keys / "server.key").chmod(0o600)
    with (
        running_database(tmp_path / "one", omero__managed__dir=str(disk)) as database,
        running_database(tmp_path / "other", schema=False) as other,
    ):
        seeded = seed(database)
        update_profile(database.instance.config_xml, {"omero.glacier2.IceSSL.DefaultDir": str(keys)})
        settings = load_settings(database.instance)
        snapshot = create_backup(BackupWish(database.instance, settings, tmp_path / "target"))
        assert snapshot.consistent, snapshot.faults
        assert (snapshot.rows, sorted(snapshot.roots)) == (18, ["certs", "data", "managed", "scripts"])
        address = other.address
        external = ExternalDatabase(address.host, address.port, address.name, address.user, address.password)
        wish = RestoreWish(tmp_path / "target", "latest", tmp_path / "second", database=external)
        plan = plan_restore(wish)
        report = carry_out(plan)
        assert report.faults.count == 0, report.faults.kept
        restored = load_settings(plan.instance)
        assert restored.managed_repository == tmp_path / "second-managed"
        assert tree(tmp_path / "second-managed") == tree(seeded.managed)
        assert restored.text("omero.glacier2.IceSSL.DefaultDir") == str(tmp_path / "second" / "etc" / "certs")
        assert tree(tmp_path / "second" / "etc" / "certs") == tree(keys)
        assert not restored.flag("omero.db.embedded")
        assert not plan.instance.embedded_database.exists()
        with connect(address) as connection:
            row = connection.execute("SELECT count(*) FROM originalfile").fetchone()
        assert row == (17,)
        # What others run is never emptied by us, and that is said before anything is done.
        wish = RestoreWish(tmp_path / "target", "latest", tmp_path / "third", database=external)
        with pytest.raises(AdminError) as caught:
            plan_restore(wish)
        assert caught.value.code == "database-not-empty"
        assert not (tmp_path / "third").exists()
        with connect(address) as connection:
            assert connection.execute("SELECT count(*) FROM originalfile").fetchone() == row
