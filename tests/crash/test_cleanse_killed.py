"""``admin cleanse`` is killed at any moment: nothing is lost, and the next run completes."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from omeroadmin.repository.orphans.quarantine import PLACE
from omeroadmin.workflows.cleanse import cleansing, purge_quarantines, quarantines, restore_quarantine
from tests.support.bare_repository import BareRepository, bare_repository
from tests.support.orphans import clean, look, put, settle, tree

KILLS = int(os.environ.get("OMERO_TEST_CLEANSE_KILLS", "16"))
ORPHANS = 400


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[BareRepository]:
    with bare_repository(tmp_path) as made:
        for number in range(20):
            put(made.managed / "kept" / f"{number}.tif")
            made.add_managed(number, f"kept/{number}.tif")
        for number in range(ORPHANS):
            content = f"orphan {number}".encode()
            place = f"gone_{number % 7}/run_{number % 40}/{number}.tif"
            put(made.managed / place if number % 2 else made.data / "Files" / f"{900 + number % 90}", content)
            if number % 2 == 0:
                put(made.managed / f"gone/{number}", content)
        settle()
        yield made


def killed(action: Callable[[], object], delay: float) -> bool:
    """Run something in a process that is killed after a while.

    :return: whether it came to its end before
    """
    child = os.fork()
    if not child:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


def contents(repository: BareRepository) -> set[bytes]:
    """What is in any file of the repository, quarantines among them."""
    return {
        path.read_bytes()
        for root in {repository.data, repository.managed}
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock" and "journal.jsonl" not in path.name
    }


def all_quarantines(repository: BareRepository) -> list[str]:
    with cleansing(repository.wish()) as run:
        return [one.id for one in quarantines(run)]


def restore_all(repository: BareRepository) -> None:
    for one in all_quarantines(repository):
        assert restore_quarantine(repository.wish(), one).problems.count == 0


def test_kills_of_a_cleanse_and_of_a_restore(repository: BareRepository) -> None:
    chance = random.Random(1)
    before, whole = tree(repository.data), contents(repository)
    began = time.monotonic()
    clean(repository.wish())
    seconds = time.monotonic() - began
    restore_all(repository)
    assert tree(repository.data) == before
    ends = 0
    for number in range(KILLS):
        if number % 2:
            ends += killed(lambda: restore_all(repository), chance.uniform(0, 1.2 * seconds))
        else:
            settle()
            ends += killed(lambda: clean(repository.wish()), chance.uniform(0, 1.2 * seconds))
        assert contents(repository) == whole
        assert {path: tree(repository.managed)[path] for path in ("kept/0.tif", "kept/19.tif")} == {
            "kept/0.tif": b"orphan",
            "kept/19.tif": b"orphan",
        }
    assert ends < KILLS, "some were killed in the middle"
    settle()
    clean(repository.wish())
    assert look(repository.wish())[0] == {}
    restore_all(repository)
    assert tree(repository.data) == before
    assert all_quarantines(repository) == []
    assert {path.name for path in (repository.data / PLACE).iterdir()} == {".lock"}


def test_kills_of_a_purge(repository: BareRepository) -> None:
    clean(repository.wish())
    kept = tree(repository.data)
    for delay in (0.0, 0.02, 0.05, 0.1):
        killed(lambda: purge_quarantines(repository.wish()), delay)
        assert tree(repository.data) == kept
    purge_quarantines(repository.wish())
    for root in (repository.data, repository.managed):
        assert {path.name for path in (root / PLACE).iterdir()} <= {".lock"} if (root / PLACE).exists() else True
