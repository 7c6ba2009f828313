"""Manifests give back what was written, whatever the names; reconciliation finds exactly what differs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.backups.manifest import (
    Entry,
    entry_line,
    parse_document,
    parse_line,
    read_manifest,
    sort_key,
    write_manifest,
)
from omeroadmin.backups.reconcile import Row, Tally, reconcile
from omeroadmin.backups.target import Target
from omeroadmin.errors import AdminError

NAMES = st.binary(min_size=1, max_size=20).map(
    lambda raw: os.fsdecode(raw.replace(b"/", b"_").replace(b"\0", b"_")),
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "data/" + "/".join(names))
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
FILES = st.builds(
    Entry,
    path=PATHS,
    size=st.integers(0, 2**50),
    mtime_ns=st.integers(-(2**62), 2**62),
    mode=st.integers(0, 0o7777),
    blake3=DIGESTS,
    sha1=st.none() | st.binary(min_size=20, max_size=20).map(bytes.hex),
    link=st.none(),
)
NOTHING = {"blake3": st.just(""), "sha1": st.none()}
DIRECTORIES = st.builds(
    Entry,
    path=PATHS.map(lambda path: path + "/"),
    size=st.just(0),
    mtime_ns=st.integers(0, 2**62),
    mode=st.integers(0, 0o7777),
    link=st.none(),
    **NOTHING,
)
LINKS = st.builds(Entry, path=PATHS, size=st.just(0), mtime_ns=st.just(0), mode=st.just(0o777), link=NAMES, **NOTHING)
MANIFESTS = st.lists(FILES | DIRECTORIES | LINKS, unique_by=lambda entry: entry.path, max_size=30).map(
    lambda entries: sorted(entries, key=lambda entry: sort_key(entry.path))
)


@given(FILES | DIRECTORIES | LINKS)
def test_a_line_gives_the_entry_back(entry: Entry) -> None:
    line = entry_line(entry)
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert parse_line(line) == entry


@given(FILES, st.data())
@settings(max_examples=300)
def test_the_quick_way_says_what_the_long_way_says(entry: Entry, data: st.DataObject) -> None:
    line = bytearray(entry_line(entry))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(line) - 1))
        piece = data.draw(st.sampled_from([b"", b"0", b"-", b'"', b"\\", b"}"]))
        line[place : place + data.draw(st.integers(0, 2))] = piece
    assert entry_or_code(parse_line, bytes(line)) == entry_or_code(parse_document, bytes(line))


def test_a_number_without_end_is_damage() -> None:
    line = entry_line(Entry("data/x", 1, 1, 0o600, "0" * 64)).replace(b'"size":1', b'"size":' + b"1" * 5000)
    assert entry_or_code(parse_line, line) == "manifest-damaged"


def entry_or_code(parse: Callable[[bytes], Entry], line: bytes) -> Entry | str:
    try:
        return parse(line)
    except AdminError as error:
        return error.code


@given(MANIFESTS)
@settings(max_examples=50, deadline=None)
def test_a_manifest_gives_its_entries_back(entries: list[Entry]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "manifest.jsonl.zst"
        assert write_manifest(path, entries) == len(entries)
        assert list(read_manifest(path)) == entries
        assert path.stat().st_mode & 0o777 == 0o600


@given(MANIFESTS, st.data())
def test_reconciliation_finds_exactly_what_differs(entries: list[Entry], data: st.DataObject) -> None:
    rows, expected = [], set()
    for number, entry in enumerate(entry for entry in entries if entry.is_file):
        kind = data.draw(st.sampled_from(["same", "size", "hash", "other-algorithm", "surplus", "missing"]))
        path, size, sha1, algorithm = entry.path, entry.size, entry.sha1, "SHA1-160"
        match kind:
            case "surplus":
                continue
            case "size":
                size += 1
                expected.add((path, "size-differs"))
            case "hash":
                if sha1 is not None:
                    sha1 = ("1" if sha1[0] == "0" else "0") + sha1[1:]
                    expected.add((path, "hash-differs"))
            case "other-algorithm":
                sha1, algorithm = "00", "MD5-128"
            case "missing":
                path += "-missing"
                if any(other.path == path for other in entries):
                    continue
                expected.add((path, "file-missing"))
        rows.append(Row(path, size, sha1, algorithm, number))
    rows.sort(key=lambda row: sort_key(row.path))
    tally = Tally()
    found = {(fault.path, fault.code) for fault in reconcile(rows, entries, tally)}
    assert found == expected
    assert tally.rows == len(rows)


@given(MANIFESTS.filter(bool), st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_happens_to_a_manifest_is_an_expected_failure(entries: list[Entry], data: st.DataObject) -> None:
    """Damage below the compression as well as in it: entries, or an AdminError, never anything else."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "manifest.jsonl.zst"
        write_manifest(path, entries)
        if data.draw(st.booleans()):
            content = bytearray(path.read_bytes())
        else:
            content = bytearray(b"".join(entry_line(entry) for entry in entries))
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content if content[:4] == path.read_bytes()[:4] else zstandard.compress(bytes(content)))
        code = "manifest-damaged"
        try:
            for entry in read_manifest(path):
                assert not entry.is_file or Target(path).pool_file(entry.blake3)
        except AdminError as error:
            code = error.code
        assert code == "manifest-damaged"
