"""What differs between two manifests."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.backups.difference import Change, differences, part_differences
from omeroadmin.backups.manifest import Checksum, Entry, sort_key

TREES = st.dictionaries(
    st.text("ab/", min_size=1, max_size=4).map(lambda text: f"data/{text}".rstrip("/")), st.integers(0, 3), max_size=12
)


def entries(tree: dict[str, int]) -> list[Entry]:
    """A manifest with a content each path, and directories that don't count."""
    found = [Entry(path, content, 0, 0o600, f"{content:064x}") for path, content in tree.items()]
    return sorted([*found, Entry("data/zz/", 0, len(tree), 0o700)], key=lambda entry: sort_key(entry.path))


@given(before=TREES, after=TREES)
def test_all_and_only_what_differs(before: dict[str, int], after: dict[str, int]) -> None:
    found = list(differences(entries(before), entries(after)))
    assert [change.path for change in found] == sorted((change.path for change in found), key=sort_key)
    assert {change.path: change.change for change in found} == {
        path: Change.ADDED if path not in before else Change.REMOVED if path not in after else Change.CHANGED
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }
    assert all((change.before, change.after) == (before.get(change.path), after.get(change.path)) for change in found)


def test_parts() -> None:
    one, other = Checksum(1, "a"), Checksum(2, "b")
    older = {"etc/a": one, "etc/b": one, "etc/c": one, "database/toc.dat": one}
    newer = {"etc/a": other, "etc/b": one, "etc/d": one, "database/toc.dat": other}
    found = list(part_differences(older, newer, "etc"))
    assert [(change.change, change.path, change.before, change.after) for change in found] == [
        (Change.CHANGED, "etc/a", 1, 2),
        (Change.REMOVED, "etc/c", 1, None),
        (Change.ADDED, "etc/d", None, 1),
    ]
