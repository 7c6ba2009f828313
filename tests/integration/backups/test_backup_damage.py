"""Every kind of damage to a snapshot is named by verify, with the file in the repository and the one in the target."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from omeroadmin.backups.engines.opening import open_engine
from omeroadmin.backups.manifest import Entry, file_checksum, read_manifest, write_manifest
from omeroadmin.backups.snapshot import read_snapshot, write_snapshot
from omeroadmin.backups.store import list_snapshots
from omeroadmin.errors import AdminError
from omeroadmin.workflows.backup import BackupWish, create_backup
from omeroadmin.workflows.backup_verify import Verified, VerifyWish, verify_backup
from tests.support.backup import Seeded, copy_target, flip, source  # noqa: F401 - fixture

LARGE = "data/ManagedRepository/big_0/large.tif"
PLAIN = "data/ManagedRepository/root_0/2026-11/00/plain.tif"


@pytest.fixture(scope="module")
def intact(source: Seeded, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A target whose snapshot has been verified."""
    target = tmp_path_factory.mktemp("intact") / "target"
    create_backup(BackupWish(source.database.instance, source.database.settings, target))
    assert verify_backup(VerifyWish(target, source.database.settings, deep=True)).succeeded
    return target


class Damage:
    """A copy of a target, and its parts by name."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.snapshot = next((target / "snapshots").iterdir())
        self.manifest = self.snapshot / "manifest.jsonl.zst"

    def pool_file(self, path: str) -> Path:
        entry = next(entry for entry in read_manifest(self.manifest) if entry.path == path)
        return self.target / "pool" / entry.blake3[:2] / entry.blake3

    def dump_file(self) -> Path:
        files = [path for path in (self.snapshot / "database").iterdir() if path.suffix == ".gz"]
        return max(files, key=lambda path: path.stat().st_size)


def part_missing(damage: Damage) -> tuple[str, Path]:
    path = damage.snapshot / "cluster" / "roles.sql"
    path.unlink()
    return "cluster/roles.sql", path


def content_flipped(damage: Damage) -> tuple[str, Path]:
    flip(damage.pool_file(LARGE))
    return LARGE, damage.pool_file(LARGE)


def content_missing(damage: Damage) -> tuple[str, Path]:
    path = damage.pool_file(PLAIN)
    path.unlink()
    return PLAIN, path


def content_cut(damage: Damage) -> tuple[str, Path]:
    path = damage.pool_file(LARGE)
    path.write_bytes(path.read_bytes()[:-1])
    return LARGE, path


def contents_swapped(damage: Damage) -> tuple[str, Path]:
    one, two = damage.pool_file(LARGE), damage.pool_file(PLAIN)
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    return PLAIN, two


def content_grown(damage: Damage) -> tuple[str, Path]:
    path = damage.pool_file(PLAIN)
    with path.open("ab") as stream:
        stream.write(b"\0")
    return PLAIN, path


def dump_flipped(damage: Damage) -> tuple[str, Path]:
    path = damage.dump_file()
    flip(path)
    return f"database/{path.name}", path


def dump_missing(damage: Damage) -> tuple[str, Path]:
    path = damage.dump_file()
    path.unlink()
    return f"database/{path.name}", path


def dump_added(damage: Damage) -> tuple[str, Path]:
    path = damage.snapshot / "database" / "9999.dat.gz"
    path.write_bytes(b"x")
    return "database/9999.dat.gz", path


def configuration_flipped(damage: Damage) -> tuple[str, Path]:
    path = damage.snapshot / "etc" / "grid" / "config.xml"
    flip(path)
    return "etc/grid/config.xml", path


def manifest_flipped(damage: Damage) -> tuple[str, Path]:
    flip(damage.manifest)
    return "manifest.jsonl.zst", damage.manifest


def manifest_cut(damage: Damage) -> tuple[str, Path]:
    damage.manifest.write_bytes(damage.manifest.read_bytes()[:-20])
    return "manifest.jsonl.zst", damage.manifest


def manifest_missing(damage: Damage) -> tuple[str, Path]:
    damage.manifest.unlink()
    return "manifest.jsonl.zst", damage.manifest


def manifest_without_a_file(damage: Damage) -> tuple[str, Path]:
    entries: list[Entry] = [entry for entry in read_manifest(damage.manifest) if entry.path != PLAIN]
    write_manifest(damage.manifest, entries)
    return "manifest.jsonl.zst", damage.manifest


def dump_cut(damage: Damage) -> tuple[str, Path]:
    path = damage.dump_file()
    path.write_bytes(path.read_bytes()[:-1])
    return f"database/{path.name}", path


def dump_swapped(damage: Damage) -> tuple[str, Path]:
    one, two = sorted(path for path in (damage.snapshot / "database").iterdir() if path.suffix == ".gz")[:2]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first + b"\0")
    return f"database/{two.name}", two


def contents_table_flipped(damage: Damage) -> tuple[str, Path]:
    path = damage.snapshot / "database" / "toc.dat"
    flip(path)
    return "database/toc.dat", path


def configuration_missing(damage: Damage) -> tuple[str, Path]:
    path = damage.snapshot / "etc" / "internal.cfg"
    path.unlink()
    return "etc/internal.cfg", path


def configuration_added(damage: Damage) -> tuple[str, Path]:
    path = damage.snapshot / "etc" / "grid" / "added.xml"
    path.write_text("<icegrid/>")
    return "etc/grid/added.xml", path


def content_unreadable(damage: Damage) -> tuple[str, Path]:
    path = damage.pool_file(PLAIN)
    path.chmod(0)
    return PLAIN, path


def content_a_directory(damage: Damage) -> tuple[str, Path]:
    path = damage.pool_file(PLAIN)
    path.unlink()
    path.mkdir()
    return PLAIN, path


def content_endless(damage: Damage) -> tuple[str, Path]:
    """A link to what never ends; a verification that follows it doesn't, either."""
    file = damage.pool_file(PLAIN)
    file.unlink()
    file.symlink_to("/dev/zero")
    return PLAIN, file


def content_waiting(damage: Damage) -> tuple[str, Path]:
    """A pipe that nobody writes to."""
    file = damage.pool_file(PLAIN)
    file.unlink()
    os.mkfifo(file)
    return PLAIN, file


KINDS = (
    content_endless,
    content_waiting,
    content_flipped,
    content_missing,
    content_cut,
    contents_swapped,
    content_grown,
    content_unreadable,
    content_a_directory,
    part_missing,
    dump_cut,
    dump_swapped,
    contents_table_flipped,
    configuration_missing,
    configuration_added,
    dump_flipped,
    dump_missing,
    dump_added,
    configuration_flipped,
    manifest_flipped,
    manifest_cut,
    manifest_missing,
    manifest_without_a_file,
)


@pytest.mark.parametrize(
    ("inflict", "deep"),
    [*((kind, False) for kind in KINDS), (content_flipped, True), (dump_flipped, True), (manifest_cut, True)],
    ids=lambda value: getattr(value, "__name__", "deep" if value else "shallow"),
)
def test_damage_is_named(
    intact: Path,
    source: Seeded,  # noqa: F811
    tmp_path: Path,
    inflict: Callable[[Damage], tuple[str, Path]],
    deep: bool,
) -> None:
    target = copy_target(intact, tmp_path / "target")
    path, pool_file = inflict(Damage(target))
    verified: Verified = verify_backup(VerifyWish(target, source.database.settings, temporary=tmp_path, deep=deep))
    assert not verified.succeeded
    assert (path, str(pool_file)) in {(fault.path, fault.pool_file) for fault in verified.faults}
    # What was proven once is proven no more.
    assert list_snapshots(open_engine(target))[0].verified is None


def test_a_missing_manifest_is_named_once(intact: Path, source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    target = copy_target(intact, tmp_path / "target")
    manifest_missing(Damage(target))
    [fault] = verify_backup(VerifyWish(target, source.database.settings, temporary=tmp_path)).faults
    assert fault.code == "part-missing"
    assert "pool" not in str(fault)


@pytest.mark.parametrize("cut", [False, True])
def test_a_damaged_document_is_named(intact: Path, source: Seeded, tmp_path: Path, cut: bool) -> None:  # noqa: F811
    target = copy_target(intact, tmp_path / "target")
    document = Damage(target).snapshot / "snapshot.json"
    if cut:
        document.write_bytes(document.read_bytes()[:100])
    else:
        content = json.loads(document.read_bytes())
        content["files"] += 1
        document.write_text(json.dumps(content))
    with pytest.raises(AdminError) as caught:
        verify_backup(VerifyWish(target, source.database.settings))
    assert caught.value.code == "snapshot-damaged"
    assert str(document) in caught.value.message
    assert caught.value.exit_status == 5
    listed = list_snapshots(open_engine(target))
    assert listed[0].snapshot is None
    assert "damaged" in listed[0].damage


def test_the_next_run_heals_what_it_can(intact: Path, source: Seeded, tmp_path: Path) -> None:  # noqa: F811
    """A missing or cut content is copied again, a damaged manifest isn't built upon."""
    target = copy_target(intact, tmp_path / "target")
    damage = Damage(target)
    missing, cut = damage.pool_file(PLAIN), damage.pool_file(LARGE)
    missing.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    snapshot = create_backup(BackupWish(source.database.instance, source.database.settings, target))
    assert (snapshot.read_files, snapshot.copied_files) == (2, 2)
    assert verify_backup(VerifyWish(target, source.database.settings, temporary=tmp_path, deep=True)).succeeded
    newest = target / "snapshots" / snapshot.id / "manifest.jsonl.zst"
    flip(newest)
    third = create_backup(BackupWish(source.database.instance, source.database.settings, target))
    assert third.consistent
    assert (third.read_files, third.copied_files) == (third.files, 0)


def test_a_sample_reads_a_part_and_takes_nothing_from_a_whole_proof(
    intact: Path,
    source: Seeded,  # noqa: F811
    tmp_path: Path,
) -> None:
    target = copy_target(intact, tmp_path / "target")
    before = list_snapshots(open_engine(target))[0].verified
    assert before is not None
    assert before.sample == 1.0
    settings = source.database.settings
    sampled = [verify_backup(VerifyWish(target, settings, sample=0.3)) for _ in range(20)]
    assert all(one.succeeded for one in sampled)
    # Twenty times a third of some twenty files: by no chance all of them, nor none.
    read = sum(one.record.files for one in sampled)
    assert 0 < read < 20 * before.files
    assert list_snapshots(open_engine(target))[0].verified == before
    # Whatever is cheap is looked at whole, by the smallest sample as well.
    path, place = dump_flipped(Damage(target))
    found = verify_backup(VerifyWish(target, settings, sample=0.001))
    assert [(fault.path, fault.pool_file) for fault in found.faults] == [(path, str(place))]
    assert list_snapshots(open_engine(target))[0].verified is None


def test_a_dump_that_does_not_fit_the_files_is_found_by_a_deep_look(
    intact: Path,
    source: Seeded,  # noqa: F811
    tmp_path: Path,
) -> None:
    """All checksums right, and yet a file of the database isn't there: only the restored rows can tell."""
    target = copy_target(intact, tmp_path / "target")
    directory = Damage(target).snapshot
    manifest = directory / "manifest.jsonl.zst"
    entries = [entry for entry in read_manifest(manifest) if entry.path != PLAIN]
    write_manifest(manifest, entries)
    snapshot = replace(read_snapshot(directory), manifest_checksum=file_checksum(manifest))
    write_snapshot(directory, snapshot)
    settings = source.database.settings
    assert verify_backup(VerifyWish(target, settings)).succeeded
    deep = verify_backup(VerifyWish(target, settings, deep=True, temporary=tmp_path))
    assert [(fault.code, fault.path) for fault in deep.faults] == [("file-missing", PLAIN)]
