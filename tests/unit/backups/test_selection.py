"""What --only asks for: words, and paths in each form that an admin may have them in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.backups.manifest import Entry, sort_key
from omeroadmin.backups.selection import Selection, check_found, everything, read_selection
from omeroadmin.errors import AdminError

ROOTS = {"data": "/OMERO", "scripts": "/opt/omero/lib/scripts", "certs": "/etc/omero"}
SPLIT = {**ROOTS, "managed": "/disk2/images"}
INSIDE = "data/ManagedRepository"
PATHS = (
    "certs/server.key",
    "data/Files/1",
    "data/Files/10",
    f"{INSIDE}/a-b/x.tif",
    f"{INSIDE}/a/x.tif",
    "scripts/y.py",
)


def entries() -> list[Entry]:
    return [Entry(path, 10, 1, 0o644, "0" * 64) for path in sorted(PATHS, key=sort_key)]


def chosen(*only: str, roots: dict[str, str] = ROOTS, managed: str = INSIDE) -> list[str]:
    selection = read_selection(only, roots, managed)
    return [entry.path for entry in selection.entries(entries())]


def test_words() -> None:
    assert read_selection((), ROOTS, INSIDE) == everything(ROOTS)
    assert chosen() == list(PATHS)
    assert chosen("config") == ["certs/server.key", "scripts/y.py"]
    assert chosen("database") == []
    assert chosen("repository") == [path for path in PATHS if path.startswith("data/")]
    assert read_selection(("database",), ROOTS, INSIDE) == Selection(
        configuration=False, database=True, roots=frozenset()
    )
    assert not read_selection(("config",), ROOTS, INSIDE).files_only
    assert read_selection(("./config",), ROOTS, INSIDE).paths == ("data/config",)
    assert read_selection(("repository",), SPLIT, "managed").roots == {"data", "managed"}


@pytest.mark.parametrize(
    "path",
    [
        "ManagedRepository/a",
        "ManagedRepository/a/",
        "./ManagedRepository//a",
        "data/ManagedRepository/a",
        "/OMERO/ManagedRepository/a",
        "/OMERO/Files/../ManagedRepository/a/x.tif",
    ],
)
def test_paths(path: str) -> None:
    assert chosen(path) == [f"{INSIDE}/a/x.tif"]


def test_a_path_ends_at_its_end() -> None:
    assert chosen("Files/1") == ["data/Files/1"]
    assert chosen("Files/1", "Files/10") == ["data/Files/1", "data/Files/10"]
    assert chosen("Files", "Files/1") == ["data/Files/1", "data/Files/10"]


def test_directories_on_the_way_are_wanted() -> None:
    selection = read_selection(("ManagedRepository/a/x.tif",), ROOTS, INSIDE)
    assert [path for path in ("data/", f"{INSIDE}/", f"{INSIDE}/a/", f"{INSIDE}/a-b/") if selection.wants(path)] == [
        "data/",
        f"{INSIDE}/",
        f"{INSIDE}/a/",
    ]
    assert read_selection((".",), ROOTS, INSIDE).paths == ("data",)


def test_a_managed_repository_of_its_own() -> None:
    for path in ("ManagedRepository/a", "/disk2/images/a", "managed/a"):
        assert read_selection((path,), SPLIT, "managed").paths == ("managed/a",)
    assert read_selection(("ManagedRepository",), SPLIT, "managed").paths == ("managed",)


@pytest.mark.parametrize("path", ["/elsewhere/x", "../etc/passwd", "/OMERO/../etc/passwd", ".."])
def test_what_no_snapshot_holds(path: str) -> None:
    with pytest.raises(AdminError) as caught:
        read_selection((path,), ROOTS, INSIDE)
    assert caught.value.code == "path-not-saved"
    with pytest.raises(AdminError) as caught:
        read_selection(("",), ROOTS, INSIDE)
    assert caught.value.code == "selection-empty"


def test_what_this_snapshot_does_not_hold() -> None:
    selection = read_selection(("Files/1", "Files/2"), ROOTS, INSIDE)
    with pytest.raises(AdminError) as caught:
        check_found(selection, entries())
    assert caught.value.code == "path-not-saved"
    assert "data/Files/2" in caught.value.message
    assert check_found(read_selection(("Files", "config"), ROOTS, INSIDE), entries()) == (4, 40)


NAMES = st.text(st.sampled_from("ab-./ "), min_size=1, max_size=6).map(lambda name: name.rstrip("/") or "a")


@given(st.lists(NAMES, min_size=1, max_size=4), st.lists(NAMES, max_size=6))
def test_what_is_chosen_lies_in_what_was_asked_for(only: list[str], found: list[str]) -> None:
    try:
        selection = read_selection(only, ROOTS, INSIDE)
    except AdminError:
        return
    for path in (f"data/{name}" for name in found):
        inside = any(path == wanted or path.startswith(f"{wanted}/") for wanted in selection.paths)
        assert selection.wants(path) == inside
