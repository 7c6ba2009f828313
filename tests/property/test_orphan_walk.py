"""The walk beside sorted rows finds what a comparison of two sets finds, whatever the names are."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.repository.layout import id_path
from omeroadmin.repository.orphans.below import open_root
from omeroadmin.repository.orphans.findings import Candidate, Horizon, Kind, Seen
from omeroadmin.repository.orphans.named import NamedDirectories, NamedDirectory
from omeroadmin.repository.orphans.names import ID_TREES, meaning
from omeroadmin.repository.orphans.trees import ManagedWalk

NEVER = 2**63
OLD = Horizon(NEVER, NEVER, NEVER)
# Signs before and after the slash, of two, three and four bytes: where orders of strings and of bytes may differ.
NAMES = st.text(alphabet="ab-.0~\u00e4\u20ac\uffee\U0001f600", min_size=1, max_size=3).filter(
    lambda name: name not in (".", "..") and not name.startswith(".")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def without_conflicts(paths: list[str]) -> list[str]:
    """No file is a directory of another."""
    return [path for path in paths if not any(other.startswith(f"{path}/") for other in paths)]


def by_directory(paths: set[str]) -> list[NamedDirectory]:
    """Rows as the database gives them."""
    directories: dict[str, list[str]] = {}
    for path in paths:
        directory, slash, name = path.rpartition("/")
        directories.setdefault(directory + slash, []).append(name)
    return [
        NamedDirectory(directory, "/".join(names))
        for directory, names in sorted(directories.items(), key=lambda item: item[0].encode())
    ]


@given(st.lists(st.tuples(PATHS, st.sampled_from(["both", "disk", "row"])), max_size=25))
@settings(max_examples=150, deadline=None)
def test_leftovers_are_files_without_rows(wished: list[tuple[str, str]]) -> None:
    kinds = dict(wished)
    paths = without_conflicts(list(kinds))
    stored = {path for path in paths if kinds[path] != "row"}
    named = {path for path in paths if kinds[path] != "disk"}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        for path in stored:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).touch()
        with open_root(root) as top:
            walk = ManagedWalk("managed", "", NamedDirectories(by_directory(named)), OLD, Seen())
            found = [one for one in walk.found(top) if isinstance(one, Candidate)]
        leftovers = {one.path for one in found if one.kind is Kind.LEFTOVER}
        assert leftovers == stored - named
        empty = {one.path for one in found if one.kind is Kind.EMPTY_DIRECTORY}
        above_of = {path: {str(above) for above in Path(path).parents} - {"."} for path in paths}
        needed = {above for path in named for above in above_of[path]}
        there = {os.path.relpath(place, root) for place, _, _ in os.walk(root)} - {"."}
        assert empty == there - needed


@given(st.integers(min_value=1, max_value=2**63 - 1), st.sampled_from(ID_TREES))
def test_names_of_the_server_are_known(number: int, tree: object) -> None:
    assert isinstance(tree, type(ID_TREES[0]))
    name = id_path(number).name
    assert meaning(tree, name) == (tree.kind, number)
    assert name in tree.names_of(str(number))
    assert meaning(tree, f"0{name}") is None
    assert meaning(tree, f"{name} ") is None
    pyramid = (Kind.PYRAMID, number) if tree.kind is Kind.PIXELS else None
    assert meaning(tree, f"{name}_pyramid") == pyramid


@given(st.text(max_size=30))
def test_other_names_mean_nothing(name: str) -> None:
    for tree in ID_TREES:
        known = meaning(tree, name)
        assert known is None or str(known[1]) in name
