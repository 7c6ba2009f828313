"""Files of a moment: whatever the snapshots hold, what fits is found, and what doesn't is named."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.backups.manifest import Entry, read_manifest, sort_key, write_manifest
from omeroadmin.backups.moment import Picker
from omeroadmin.backups.reconcile import Row
from omeroadmin.backups.rows import put_aside

MOMENT = 1000
NAMES = ["a", "a-b/x", "a/b/c", "a/b.c", "a/d", "é", "z/z"]
CONTENTS = [b"", b"one", b"two", b"three"]


@dataclass(frozen=True)
class Version:
    """A file's content and its time."""

    content: bytes
    time: int


versions = st.builds(Version, st.sampled_from(CONTENTS), st.integers(MOMENT - 2, MOMENT + 2))
trees = st.dictionaries(st.sampled_from(NAMES), versions)


def entries(tree: dict[str, Version]) -> list[Entry]:
    """A manifest of a tree, with its directories."""
    found = {}
    for name, version in tree.items():
        path = f"data/{name}"
        parts = path.split("/")[:-1]
        for number in range(len(parts)):
            directory = "/".join(parts[: number + 1]) + "/"
            found[directory] = Entry(directory, 0, MOMENT + 5, 0o755)
        sha1 = hashlib.sha1(version.content, usedforsecurity=False).hexdigest()
        # Any 64 digits will do: contents are not looked at here.
        digest = hashlib.sha256(version.content).hexdigest()
        found[path] = Entry(path, len(version.content), version.time, 0o644, digest, sha1)
    return sorted(found.values(), key=lambda entry: sort_key(entry.path))


def row(number: int, name: str, content: bytes) -> Row:
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return Row(f"data/{name}", len(content), sha1, "SHA1-160", number)


@given(st.lists(trees, min_size=1, max_size=4), st.dictionaries(st.sampled_from(NAMES), st.sampled_from(CONTENTS)))
def test_what_fits_is_picked_and_the_rest_is_named(
    snapshots: list[dict[str, Version]], named: dict[str, bytes]
) -> None:
    rows = sorted((row(number, *item) for number, item in enumerate(named.items())), key=lambda one: sort_key(one.path))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        put_aside(iter(rows), directory / "rows")
        picker = Picker(directory / "rows", MOMENT, {}, directory)
        for number, tree in enumerate(snapshots):
            manifest = directory / f"manifest-{number}"
            write_manifest(manifest, entries(tree))
            picker.take(str(number), manifest, others=number < 2)
        picked = [(item.snapshot_id, entry) for item in picker.picked for entry in read_manifest(item.manifest)]
        faults = {fault.path for fault in picker.faults()}
    files = [(where, entry) for where, entry in picked if entry.is_file]
    # No path comes from two snapshots, and each comes with the directories that lead to it.
    assert len({entry.path for _, entry in files}) == len(files)
    directories = {(where, entry.path) for where, entry in picked if entry.is_directory}
    for where, entry in files:
        assert (where, entry.path.rpartition("/")[0] + "/") in directories
    wanted = {f"data/{name}": content for name, content in named.items()}
    for where, entry in files:
        version = snapshots[int(where)][entry.path.removeprefix("data/")]
        if entry.path in wanted:
            assert version.content == wanted[entry.path]
        else:
            assert version.time <= MOMENT
            assert int(where) < 2
    available = {(name, version.content) for tree in snapshots for name, version in tree.items()}
    assert faults == {f"data/{name}" for name, content in named.items() if (name, content) not in available}
    assert {entry.path for _, entry in files if entry.path in wanted} == set(wanted) - faults
    assert picker.rows == len(named)
    assert picker.missing == len(faults)
    others = {
        f"data/{name}" for tree in snapshots[:2] for name, version in tree.items() if version.time <= MOMENT
    } - set(wanted)
    assert {entry.path for _, entry in files if entry.path not in wanted} == others
