"""Contents in and out of the pool."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from omeroadmin.backups import extract as extraction
from omeroadmin.backups.collect import Collector
from omeroadmin.backups.engines.directory import DirectoryEngine
from omeroadmin.backups.extract import extract
from omeroadmin.backups.manifest import Checksum, Entry, parse_line
from omeroadmin.backups.pool import Pool
from omeroadmin.backups.scan import Found, Root, walk
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.target import Target, is_id, locked, make_target, new_id, remove
from omeroadmin.errors import AdminError
from omeroadmin.system import files

SNAPSHOT = Snapshot("", "", 0, 0, True, 0, 0, 0, 0, 0, 0, 0, 0, Checksum(0, ""), "")
SIZES = [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20]


@pytest.fixture
def target(tmp_path: Path) -> Target:
    made = make_target(tmp_path / "target")
    with locked(made):
        pass
    return made


def copy_in(pool: Pool, path: Path) -> Entry:
    copied = pool.copy_in(str(path), with_sha1=True)
    pool.keep(copied)
    pool.flush()
    return Entry(f"data/{path.name}", copied.size, copied.mtime_ns, copied.mode & 0o7777, copied.blake3, copied.sha1)


@pytest.mark.parametrize("size", SIZES)
def test_contents_come_out_as_they_went_in(target: Target, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    source = tmp_path / "source"
    source.write_bytes(content)
    source.chmod(0o640)
    entry = copy_in(Pool(target), source)
    assert entry.blake3 == blake3(content).hexdigest()
    assert entry.sha1 == hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert target.pool_file(entry.blake3).stat().st_mode & 0o777 == 0o600
    done = extract(
        DirectoryEngine(target.root), SNAPSHOT, [Entry("data/", 0, 10**18, 0o750), entry], {"data": tmp_path / "out"}
    )
    copy = tmp_path / "out" / "source"
    assert copy.read_bytes() == content
    assert (copy.stat().st_mode & 0o777, copy.stat().st_mtime_ns) == (0o640, source.stat().st_mtime_ns)
    assert (tmp_path / "out").stat().st_mtime_ns == 10**18
    assert (done.files, done.size) == (1, size)


def test_the_same_content_is_kept_once(target: Target, tmp_path: Path) -> None:
    pool = Pool(target)
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"same" * 1_000_000)
    copies = [pool.copy_in(str(tmp_path / name), with_sha1=False) for name in ("one", "two")]
    assert [pool.keep(copied) for copied in copies] == [True, False]
    pool.flush()
    assert pool.copy_in(str(tmp_path / "one"), with_sha1=False).temporary is None
    assert len([path for path in target.pool.rglob("*") if path.is_file()]) == 1
    assert not list(target.partial.iterdir())


def test_a_file_that_never_stands_still_is_told(target: Target, tmp_path: Path) -> None:
    restless = tmp_path / "restless"
    restless.write_bytes(b"x" * (32 << 20))
    stop = threading.Event()

    def touch() -> None:
        moment = 10**18
        while not stop.is_set():
            moment += 1
            os.utime(restless, ns=(moment, moment))

    writer = threading.Thread(target=touch)
    writer.start()
    try:
        collector = Collector(Pool(target), [], trusted_until_ns=0, with_sha1=lambda _: True)
        entries = list(collector.entries(walk([Root("data", tmp_path, frozenset({"target"}))])))
    finally:
        stop.set()
        writer.join(60)
    assert [fault.path for fault in collector.result.warnings.kept] == ["data/restless"]
    last = entries[-1]
    assert isinstance(last, Entry)
    assert last.path == "data/restless"
    assert len(list(target.pool.rglob("*"))) == 2
    assert not list(target.partial.iterdir())


def test_files_that_go_or_cannot_be_read(target: Target, tmp_path: Path) -> None:
    collector = Collector(Pool(target), [], trusted_until_ns=0, with_sha1=lambda _: False)
    gone = Found("data/gone", str(tmp_path / "gone"), 1, 1, 0o600)
    closed = Found("data/is-a-directory", str(tmp_path), 1, 1, 0o600)
    assert list(collector.entries([gone, closed])) == []
    assert [(fault.code, fault.path) for fault in collector.result.faults.kept] == [
        ("file-unreadable", "data/is-a-directory")
    ]


def test_a_full_target_is_one_error(target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "image").write_bytes(b"x" * 5_000_000)
    real = os.write
    written = 0

    def write(descriptor: int, content: bytes) -> int:
        # A disk that fills up in the middle can't be had without root.
        nonlocal written
        written += len(content)
        if written > 2_000_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, content)

    monkeypatch.setattr(os, "write", write)
    collector = Collector(Pool(target), [], trusted_until_ns=0, with_sha1=lambda _: False)
    with pytest.raises(AdminError) as caught:
        list(collector.entries(walk([Root("data", tmp_path / "data")])))
    assert caught.value.code == "backup-not-written"
    assert "No space left" in caught.value.message
    assert not list(target.partial.iterdir())


def test_what_a_killed_restore_left_is_no_obstacle(target: Target, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"1")
    source.chmod(0o400)
    entry = copy_in(Pool(target), source)
    (tmp_path / "out").mkdir()
    left = tmp_path / "out" / f".{blake3(b'source').hexdigest(length=8)}.restoring"
    left.write_bytes(b"more than there should be")
    left.chmod(0o400)
    extract(
        DirectoryEngine(target.root), SNAPSHOT, [Entry("data/", 0, 0, 0o700), entry], {"data": tmp_path / "out"}
    )  # fmt: skip
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["source"]
    assert (tmp_path / "out" / "source").read_bytes() == b"1"
    assert (tmp_path / "out" / "source").stat().st_mode & 0o777 == 0o400


@pytest.mark.parametrize("path", ["data/../../evil", "data//etc/evil", "data/a/../../../evil"])
def test_a_manifest_cannot_leave_its_root(target: Target, tmp_path: Path, path: str) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"evil")
    entry = copy_in(Pool(target), source)._replace(path=path)
    with pytest.raises(AdminError) as caught:
        extract(
            DirectoryEngine(target.root), SNAPSHOT, [Entry("data/", 0, 0, 0o700), entry], {"data": tmp_path / "out"}
        )
    assert caught.value.code == "path-escapes"
    assert not list(tmp_path.rglob("evil"))


def test_nothing_is_written_through_a_link(target: Target, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"evil")
    entry = copy_in(Pool(target), source)
    outside = tmp_path / "outside"
    outside.mkdir()
    out = tmp_path / "out"
    out.mkdir()
    (out / "link").symlink_to(outside)
    top = Entry("data/", 0, 0, 0o700)
    for entries in (
        [top, entry._replace(path="data/link/evil")],
        [top, Entry("data/link/", 0, 0, 0o700), entry._replace(path="data/link/evil")],
    ):
        with pytest.raises(AdminError) as caught:
            extract(DirectoryEngine(target.root), SNAPSHOT, entries, {"data": out})
        assert caught.value.code == "path-escapes"
    # A link of the manifest itself replaces what is there, and a file replaces a link.
    extract(
        DirectoryEngine(target.root), SNAPSHOT, [top, Entry("data/link", 0, 0, 0o777, link="elsewhere")], {"data": out}
    )
    assert str((out / "link").readlink()) == "elsewhere"
    extract(DirectoryEngine(target.root), SNAPSHOT, [top, entry._replace(path="data/link")], {"data": out})
    assert (out / "link").read_bytes() == b"evil"
    assert not (out / "link").is_symlink()
    assert not list(outside.iterdir())


def test_a_read_only_directory_is_filled_again(target: Target, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"1")
    entries = [
        Entry("data/", 0, 0, 0o700),
        Entry("data/closed/", 0, 5, 0o500),
        copy_in(Pool(target), source)._replace(path="data/closed/f"),
    ]
    out = tmp_path / "out"
    extract(DirectoryEngine(target.root), SNAPSHOT, entries, {"data": out})
    try:
        assert (out / "closed").stat().st_mode & 0o777 == 0o500
        (out / "closed").chmod(0o700)
        (out / "closed" / "f").unlink()
        (out / "closed").chmod(0o500)
        assert (
            extract(DirectoryEngine(target.root), SNAPSHOT, entries, {"data": out, "other": tmp_path / "no"}).files == 1
        )
    finally:
        (out / "closed").chmod(0o700)


def test_a_manifests_hash_must_be_one(target: Target) -> None:
    with pytest.raises(AdminError) as caught:
        target.pool_file("../../../etc/passwd")
    assert caught.value.code == "manifest-damaged"


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"{}", b'{"path": 5}', b'{"path": "a", "mode": 1}', b"\xff", b'{"path":"a","size":"x"}']
)
def test_a_line_that_is_none_is_named(line: bytes) -> None:
    with pytest.raises(AdminError) as caught:
        parse_line(line)
    assert caught.value.code == "manifest-damaged"


def test_ids_sort_by_time() -> None:
    from datetime import UTC, datetime, timedelta

    moment = datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC)
    ids = [new_id(moment + timedelta(milliseconds=17 * step)) for step in range(200)]
    assert ids == sorted(ids)
    assert all(is_id(name) for name in ids)
    assert not is_id("../20261124T010203Z-000000")


def test_a_second_writer_is_told_who_holds_the_target(target: Target) -> None:
    with locked(target), pytest.raises(AdminError) as caught, locked(target, timeout=0.1):
        pass
    assert caught.value.code == "locked"
    assert str(os.getpid()) in caught.value.message
    assert caught.value.exit_status == 6


def test_leftovers_go_and_strangers_stay(target: Target) -> None:
    half = target.snapshots / new_id()
    (half / "database").mkdir(parents=True)
    (half / "database" / "toc.dat").write_bytes(b"half")
    stranger = target.snapshots / "notes"
    stranger.mkdir()
    (target.partial / "abc").write_bytes(b"half")
    with locked(target):
        pass
    assert not half.exists()
    assert stranger.exists()
    assert not list(target.partial.iterdir())


def test_removal_outlasts_a_dump_that_still_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    directory = tmp_path / "half"
    directory.mkdir()
    real, calls = shutil.rmtree, []

    def rmtree(path: Path) -> None:
        calls.append(path)
        if len(calls) == 1:
            raise OSError(errno.ENOTEMPTY, "Directory not empty")
        real(path)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    remove(directory)
    assert len(calls) == 2
    assert not directory.exists()
    remove(directory)


def test_the_whole_file_system_is_flushed(tmp_path: Path) -> None:
    files.sync_filesystem(tmp_path)
    with pytest.raises(FileNotFoundError):
        files.sync_filesystem(tmp_path / "none")
    assert extraction.extract(DirectoryEngine(tmp_path), SNAPSHOT, [], {"data": tmp_path / "none"}).files == 0
