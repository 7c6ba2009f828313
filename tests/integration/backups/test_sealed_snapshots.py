"""Sealed snapshots: nothing secret in the target, the same restored with the key, damage named with and without it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pyrage
import pytest

from omeroadmin.backups.keys import Keys, read_keys
from omeroadmin.errors import AdminError
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import Verified, VerifyWish, verify_backup
from omeroadmin.workflows.restore import RestoreWish, carry_out, plan_restore
from tests.support.backup import Seeded, copy_target, flip, source, tree  # noqa: F401 - fixture


@dataclasses.dataclass
class Sealed:
    """A target with one sealed snapshot."""

    target: Path
    keys: Keys
    settings: Settings

    def verify(self, target: Path, keys: Keys, temporary: Path) -> Verified:
        """Verify a copy of the target."""
        return verify_backup(VerifyWish(target, self.settings, temporary=temporary, keys=keys, deep=bool(keys)))


@pytest.fixture(scope="module")
def sealed(source: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Sealed:  # noqa: F811
    directory = tmp_path_factory.mktemp("sealed")
    identity = pyrage.x25519.Identity.generate()
    (directory / "identity").write_text(f"{identity}\n")
    (directory / "identity").chmod(0o600)
    instance = source.database.instance
    snapshot = create_backup(
        BackupWish(instance, load_settings(instance), directory / "target", encrypt_to=(str(identity.to_public()),))
    )
    assert snapshot.consistent, snapshot.faults
    assert snapshot.sealed_to == (str(identity.to_public()),)
    assert not list(instance.temporary_directory.glob("omero-sealing-*"))
    return Sealed(directory / "target", read_keys([directory / "identity"]), load_settings(instance))


def snapshot_of(target: Path) -> Path:
    return next((target / "snapshots").iterdir())


def test_no_secret_is_in_the_target(source: Seeded, sealed: Sealed) -> None:  # noqa: F811
    password = source.database.address.password.encode()
    files = [path for path in sealed.target.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        content = path.read_bytes()
        assert password not in content
        # The private key of the server, which in a plain snapshot is one of the pool's files.
        assert content != b"secret"
    directory = snapshot_of(sealed.target)
    names = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    plain = {name for name in names if not name.endswith(".age")}
    assert plain <= {"snapshot.json", "manifest.jsonl.zst", "verified.json"}
    assert {"database/toc.dat.age", "etc/grid/config.xml.age", "certs/server.key.age"} <= names


def test_it_is_restored_with_the_key(source: Seeded, sealed: Sealed, tmp_path: Path) -> None:  # noqa: F811
    into = tmp_path / "second"
    with plan_restore(RestoreWish(sealed.target, "latest", into, ports_prefix="2", keys=sealed.keys)) as plan:
        report = carry_out(plan)
        assert report.faults.count == 0, report.faults.kept
        assert report.rows == 18
        left_out = ("BioFormatsCache/", "FullText/", "certs/")
        expected = {path: facts for path, facts in tree(source.data).items() if not path.startswith(left_out)}
        assert tree(tmp_path / "second-data") == expected
        keys = into / "etc" / "certs"
        assert (keys / "server.key").read_bytes() == b"secret"
        assert keys.stat().st_mode & 0o777 == 0o700
        assert load_settings(plan.instance).text("omero.glacier2.IceSSL.DefaultDir") == str(keys)
        assert not list(plan.instance.temporary_directory.iterdir())


@pytest.mark.parametrize(
    ("keys", "code"),
    [(Keys(), "backup-key-missing"), (Keys((pyrage.x25519.Identity.generate(),)), "backup-key-wrong")],
)
def test_without_the_key_nothing_is_touched(sealed: Sealed, tmp_path: Path, keys: Keys, code: str) -> None:
    with pytest.raises(AdminError) as caught:
        plan_restore(RestoreWish(sealed.target, "latest", tmp_path / "second", keys=keys))
    assert caught.value.code == code
    assert caught.value.exit_status == 3
    assert not (tmp_path / "second").exists()
    # Images are not sealed: they need no key.
    with plan_restore(RestoreWish(sealed.target, "latest", tmp_path / "images", only=("repository",))) as plan:
        assert carry_out(plan).faults.count == 0


def test_verify_goes_as_far_as_it_can(sealed: Sealed, tmp_path: Path) -> None:
    verified = sealed.verify(sealed.target, sealed.keys, tmp_path)
    assert verified.succeeded, verified.faults
    assert (verified.record.rows, verified.record.deep) == (18, True)
    verified = sealed.verify(sealed.target, Keys(), tmp_path)
    assert verified.succeeded
    assert (verified.record.rows, verified.record.deep) == (0, False)
    for keys, code in (
        (Keys(), "backup-key-missing"),
        (Keys((pyrage.x25519.Identity.generate(),)), "backup-key-wrong"),
    ):
        wish = VerifyWish(sealed.target, sealed.settings, deep=True, temporary=tmp_path, keys=keys)
        with pytest.raises(AdminError) as caught:
            verify_backup(wish)
        assert (caught.value.code, caught.value.exit_status) == (code, 3)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("omero-")]


@pytest.mark.parametrize("name", ["database/toc.dat.age", "etc/grid/config.xml.age", "certs/server.key.age"])
@pytest.mark.parametrize("damage", ["flip", "cut", "missing"])
def test_damage_is_named_without_the_key(sealed: Sealed, tmp_path: Path, name: str, damage: str) -> None:
    target = copy_target(sealed.target, tmp_path / "target")
    victim = snapshot_of(target) / name
    if damage == "flip":
        flip(victim)
    elif damage == "cut":
        victim.write_bytes(victim.read_bytes()[:-1])
    else:
        victim.unlink()
    verified = sealed.verify(target, Keys(), tmp_path)
    assert [(fault.path, fault.pool_file) for fault in verified.faults] == [(name, str(victim))]
    with_key = sealed.verify(target, sealed.keys, tmp_path)
    assert (name, str(victim)) in {(fault.path, fault.pool_file) for fault in with_key.faults}
    with pytest.raises(AdminError) as caught:
        plan_restore(RestoreWish(target, "latest", tmp_path / "second", keys=sealed.keys))
    assert caught.value.code == "snapshot-damaged"


def test_properties_seal_as_well(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    instance, values = source.database.instance, dict(source.database.settings.explicit())
    phrase = tmp_path / "passphrase"
    phrase.write_text("correct horse\n")
    phrase.chmod(0o600)
    identity = pyrage.x25519.Identity.generate()
    values["omero.backup.encryption.passphrase_file"] = str(phrase)
    values["omero.backup.encryption.recipients"] = f" {identity.to_public()} ,"
    target = tmp_path / "target"
    snapshot = create_backup(BackupWish(instance, Settings(values), target))
    assert snapshot.sealed_to == ("passphrase", str(identity.to_public()))
    assert (snapshot_of(target) / "key.age").is_file()
    with plan_restore(
        RestoreWish(target, "latest", tmp_path / "second", only=("config",), keys=read_keys([], phrase))
    ) as plan:
        carry_out(plan)
    assert (tmp_path / "second" / "etc" / "root_password").read_text() == instance.root_password_file.read_text()


def test_what_opens_it_is_not_saved_beside_it(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    phrase = source.data / "passphrase"
    phrase.write_text("correct horse\n")
    phrase.chmod(0o600)
    try:
        wish = BackupWish(
            source.database.instance, source.database.settings, tmp_path / "target", passphrase_file=phrase
        )
        with pytest.raises(AdminError) as caught:
            create_backup(wish)
    finally:
        phrase.unlink()
    assert caught.value.code == "backup-key-inside"
    assert not (tmp_path / "target").exists()


def test_private_keys_are_left_out_where_they_should_be(source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    identity = pyrage.x25519.Identity.generate()
    wish = BackupWish(
        source.database.instance,
        source.database.settings,
        tmp_path / "target",
        certificates=False,
        encrypt_to=(str(identity.to_public()),),
    )
    assert not [part for part in create_backup(wish).parts if part.startswith("certs/")]
