"""Trees that somebody made to lead ``admin cleanse`` astray: nothing outside is touched, and all is reported."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.repository.orphans.findings import Kind
from omeroadmin.workflows.cleanse import cleansing, purge_quarantines, restore_quarantine
from tests.support.bare_repository import BareRepository, bare_repository
from tests.support.orphans import clean, look, put, settle, tree


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareRepository]:
    with bare_repository(tmp_path_factory.mktemp("hostile")) as repository:
        yield repository


@pytest.fixture
def repository(made: BareRepository) -> BareRepository:
    made.wipe()
    return made


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Files that must stay whatever happens."""
    for name in ("900000001", "cell.tif", "inner/cell.tif"):
        put(tmp_path / "outside" / name, b"precious")
    return tmp_path / "outside"


def problems_of(repository: BareRepository) -> dict[str, str]:
    _, findings = look(repository.wish(may_write=False))
    return {problem.path: problem.message for problem in findings.problems.kept}


def test_links_out_of_the_repository(repository: BareRepository, outside: Path) -> None:
    before = tree(outside)
    (repository.data / "Files").mkdir(exist_ok=True)
    (repository.data / "Files" / "Dir-900").symlink_to(outside)
    (repository.data / "Pixels").symlink_to(outside)
    (repository.managed / "away").symlink_to(outside)
    (repository.managed / "linked.tif").symlink_to(outside / "cell.tif")
    (repository.managed / "needed").symlink_to(outside)
    repository.add_managed(100, "needed/inner/cell.tif")
    settle()
    problems = problems_of(repository)
    assert set(problems) == {"Files/Dir-900", "Pixels", "needed"}
    outcome = clean(repository.wish())
    assert {kind: one.count for kind, one in outcome.sums.items()} == {Kind.LEFTOVER: 2}
    assert not (repository.managed / "away").is_symlink()
    assert (repository.managed / "needed").is_symlink()
    assert tree(outside) == before
    restore_quarantine(repository.wish(), outcome.id)
    assert (repository.managed / "away").readlink() == outside
    clean(repository.wish(delete=True))
    assert tree(outside) == before
    for path in (repository.data / "Files" / "Dir-900", repository.data / "Pixels", repository.managed / "needed"):
        path.unlink()
    repository.sql("DELETE FROM originalfile WHERE id = 100")


def test_names_that_are_not_utf8(repository: BareRepository) -> None:
    raw = os.fsencode(repository.managed) + b"/caf\xe9"
    os.makedirs(raw)  # noqa: PTH103 - bytes
    for name in (b"/m\xe4use.tif", b"/\xff\xfe"):
        with open(raw + name, "wb") as stream:  # noqa: PTH123
            stream.write(b"found!")
    put(repository.managed / "named" / "u\u0308ber.tif")
    repository.add_managed(101, "named/\u00fcber.tif")
    settle()
    before = tree(repository.managed)
    found, findings = look(repository.wish())
    assert {kind: len(paths) for kind, paths in found.items()} == {Kind.LEFTOVER: 2, Kind.EMPTY_DIRECTORY: 1}
    assert ["may be the file" in problem.message for problem in findings.problems.kept] == [True]
    outcome = clean(repository.wish())
    assert not os.path.exists(raw)  # noqa: PTH110
    restore_quarantine(repository.wish(), outcome.id)
    assert tree(repository.managed) == before
    clean(repository.wish(delete=True))
    (repository.managed / "named" / "u\u0308ber.tif").unlink()
    repository.sql("DELETE FROM originalfile WHERE id = 101")


@pytest.mark.parametrize("number", [0, 999, 1000, 999_500, 999_999, 1_000_000, 10**9, 10**12, 2**63 - 1])
def test_large_ids(repository: BareRepository, number: int) -> None:
    from omeroadmin.repository.layout import original_file_path

    path = put(original_file_path(repository.data, number))
    settle()
    found, _ = look(repository.wish())
    assert found == {Kind.FILE: {str(path.relative_to(repository.data))}}
    repository.sql("DELETE FROM originalfile WHERE id = %s", number)
    repository.add_row(number)
    assert look(repository.wish())[0] == {}
    wrong = put(repository.data / "Files" / "Dir-000" / "Dir-999" / str(number))
    settle()
    found, findings = look(repository.wish())
    assert (found, findings.named) == ({}, 1), "the row protects its file wherever a tool has put it"
    repository.sql("DELETE FROM originalfile WHERE id = %s", number)
    path.unlink()
    wrong.unlink()


def test_directories_that_can_not_be_read(repository: BareRepository) -> None:
    closed = put(repository.managed / "closed" / "inner" / "cell.tif").parent
    blind = put(repository.managed / "blind" / "cell.tif").parent
    settle()
    closed.chmod(0)
    blind.chmod(0o300)
    try:
        problems = problems_of(repository)
        assert set(problems) == {"closed/inner", "blind"}
        outcome = clean(repository.wish())
        assert outcome.sums == {}
    finally:
        closed.chmod(0o700)
        blind.chmod(0o700)
    clean(repository.wish(delete=True))


def test_what_is_no_file(repository: BareRepository) -> None:
    os.mkfifo(repository.managed / "fifo")
    settle()
    assert problems_of(repository) == {"fifo": "is neither a file nor a directory"}
    (repository.managed / "fifo").unlink()


def test_a_directory_that_becomes_a_link_after_it_was_looked_at(repository: BareRepository, outside: Path) -> None:
    put(repository.managed / "swapped" / "cell.tif")
    before = tree(outside)
    settle()
    with cleansing(repository.wish()) as run:
        findings = run.find()
        assert findings.count == 2
        (repository.managed / "swapped").rename(outside.parent / "kept-aside")
        (repository.managed / "swapped").symlink_to(outside)
        outcome = run.carry_out(findings)
    assert outcome.sums == {}
    assert {problem.path for problem in outcome.problems.kept} == {"swapped/cell.tif", "swapped"}
    assert tree(outside) == before
    (repository.managed / "swapped").unlink()


def test_directories_that_flip_all_the_time(repository: BareRepository, outside: Path) -> None:
    before = tree(outside)
    place = put(repository.managed / "flips" / "cell.tif").parent
    put(place / "inner" / "cell.tif")
    aside = repository.managed / "aside"
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                place.rename(aside)
                place.symlink_to(outside)
                place.unlink()
                aside.rename(place)

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        for _ in range(20):
            clean(repository.wish())
            assert tree(outside) == before
    finally:
        stop.set()
        thread.join()
    purge_quarantines(repository.wish())
    assert tree(outside) == before
    settle()
    clean(repository.wish(delete=True))


def test_a_file_that_is_another_by_now_stays(repository: BareRepository) -> None:
    path = put(repository.managed / "again" / "cell.tif")
    settle()
    with cleansing(repository.wish()) as run:
        findings = run.find()
        path.unlink()
        path.write_bytes(b"another")
        outcome = run.carry_out(findings)
    assert path.read_bytes() == b"another"
    assert outcome.problems.count == 1
    with cleansing(repository.wish()) as run:
        settle()
        findings = run.find()
        repository.add_managed(102, "again/cell.tif")
        assert run.carry_out(findings).sums == {}, "a row that came meanwhile protects"
    assert path.is_file()
    repository.sql("DELETE FROM originalfile WHERE id = 102")
    clean(repository.wish(delete=True))


def test_what_is_restored_replaces_nothing(repository: BareRepository) -> None:
    path = put(repository.managed / "place" / "cell.tif", b"first")
    settle()
    outcome = clean(repository.wish())
    put(path, b"second")
    restored = restore_quarantine(repository.wish(), outcome.id)
    assert restored.problems.count == 1
    assert path.read_bytes() == b"second"
    path.unlink()
    assert restore_quarantine(repository.wish(), outcome.id).problems.count == 0
    assert path.read_bytes() == b"first"
    settle()
    clean(repository.wish(delete=True))
