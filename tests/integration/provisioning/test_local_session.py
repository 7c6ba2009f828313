"""A session with an agent on this machine: facts, apply, undo."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning import session as session_module
from omeroadmin.provisioning.agent.state import KEPT_RUNS
from omeroadmin.provisioning.launch import AgentChannel, Rights
from omeroadmin.provisioning.local_streams import LocalStreams
from omeroadmin.provisioning.operations.catalog import complete
from omeroadmin.provisioning.session import AgentSession
from tests.support.agents import with_own_state


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentSession]:
    """A session whose host state is in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    before = with_own_state()
    session = AgentSession(
        AgentChannel("here", sys.executable, Rights(), lambda arguments: LocalStreams([*before, *arguments]))
    )
    yield session
    session.close()


def wishes(directory: Path) -> list[dict[str, Any]]:
    return [
        {**complete("directory", path=str(directory / "d"), mode="2750"), "key": "one"},
        {**complete("file", path=str(directory / "d" / "f"), content="é\n" * 200_000, mode="0640"), "key": "two"},
    ]


def test_applied_twice_changes_once_and_can_be_taken_back(session: AgentSession, tmp_path: Path) -> None:
    wanted, told = wishes(tmp_path), list[dict[str, Any]]()
    assert session.facts(wanted)["two"]["facts"] == {"exists": False, "unfinished": False}
    assert session.apply("run-1", "test", "stage", wanted, (), told.append)["end"] == "done"
    assert [(message["key"], message["state"]) for message in told] == [
        ("one", "started"), ("one", "done"), ("two", "started"), ("two", "done"),
    ]  # fmt: skip
    assert (tmp_path / "d").stat().st_mode & 0o7777 == 0o2750
    assert (tmp_path / "d" / "f").read_text() == "é\n" * 200_000
    told.clear()
    session.apply("run-2", "test", "stage", wanted, (), told.append)
    assert [message["changes"] for message in told if message["state"] == "done"] == [[], []]
    session.undo("run-3", "test", "run-1", (), told.append)
    assert not (tmp_path / "d").exists()


def test_what_cannot_be_taken_back_says_what_is_left(session: AgentSession, tmp_path: Path) -> None:
    wanted = [
        {**complete("directory", path=str(tmp_path / "d")), "key": "one"},
        {**complete("file", path=str(tmp_path / "d" / "f"), content="f\n"), "key": "two"},
        {**complete("file", path=str(tmp_path / "g"), content="g\n"), "key": "three"},
    ]
    session.apply("run-1", "test", "stage", wanted, (), lambda message: None)
    # In the way of root as well.
    (tmp_path / "d" / "f").unlink()
    (tmp_path / "d" / "f").mkdir()
    told = list[dict[str, Any]]()
    with pytest.raises(AdminError) as caught:
        session.undo("run-2", "test", "run-1", (), told.append)
    assert "2 of 3 changes are left: file, directory" in caught.value.message
    assert len(told) == 1
    assert not (tmp_path / "g").exists()
    (tmp_path / "d" / "f").rmdir()
    (tmp_path / "d" / "f").write_text("f\n")
    session.undo("run-3", "test", "run-1", (), told.append)
    assert not (tmp_path / "d").exists()


def test_stage_ends_at_the_first_failure(session: AgentSession, tmp_path: Path) -> None:
    (tmp_path / "d").write_text("in the way")
    told = list[dict[str, Any]]()
    assert session.apply("run-1", "test", "stage", wishes(tmp_path), (), told.append)["end"] == "failed"
    assert told[-1]["error"]["code"] == "host-not-a-directory"
    assert (tmp_path / "d").read_text() == "in the way"


def test_what_takes_old_runs_back_goes_with_its_copies(session: AgentSession, tmp_path: Path) -> None:
    file, state = tmp_path / "f", tmp_path / "home" / ".local" / "state" / "omeroadmin"
    wish = {**complete("file", path=str(file), content=""), "key": "one"}
    if os.geteuid() == 0:
        pytest.skip("root's state is this machine's own; the unprivileged run of this suite covers this")
    for number in range(KEPT_RUNS + 5):
        session.apply(f"run-{number:03}", "test", "stage", [{**wish, "content": str(number)}], (), lambda message: None)
    runs = sorted(path.name for path in (state / "runs").iterdir())
    assert len(runs) == KEPT_RUNS
    assert runs[-1] == f"run-{KEPT_RUNS + 4:03}.jsonl"
    # The oldest run that is left goes back to what was written before it.
    assert len(list((state / "kept").iterdir())) == KEPT_RUNS
    session.undo("run-undo", "test", runs[0].removesuffix(".jsonl"), (), lambda message: None)
    assert file.read_text() == "4"


def test_stages_that_are_taken_back_are_forgotten_alone(session: AgentSession, tmp_path: Path) -> None:
    for stage in ("a", "b"):
        wish = {**complete("directory", path=str(tmp_path / stage)), "key": "one"}
        session.apply("run-1", "test", stage, [wish], (), lambda message: None)
    session.undo("run-1", "test", "run-1", ("b",), lambda message: None)
    assert ((tmp_path / "a").exists(), (tmp_path / "b").exists()) == (True, False)
    (tmp_path / "b").mkdir()
    session.undo("run-2", "test", "run-1", (), lambda message: None)
    assert ((tmp_path / "a").exists(), (tmp_path / "b").exists()) == (False, True)


def test_triggers_of_what_is_taken_back_are_forgotten(session: AgentSession, tmp_path: Path) -> None:
    def pulled(run: str, stage: str, path: Path, trigger: str) -> None:
        wish = {**complete("file", path=str(path), content="x"), "key": "one", "triggers": [trigger]}
        assert session.apply(run, "test", stage, [wish], (), lambda _: None)["triggered"] == [trigger]

    def pending() -> list[str]:
        wish = {**complete("command", arguments=["true"]), "key": "two", "id": "none", "only_triggered": True}
        return list(session.apply("run-9", "test", "s", [wish], (), lambda _: None)["triggered"])

    pulled("run-1", "first", tmp_path / "a", "other")
    session.undo("run-8", "test", "run-1", ["second"], lambda _: None)
    assert pending() == ["other"]
    session.undo("run-8", "test", "run-1", ["first"], lambda _: None)
    assert pending() == []


def test_a_host_that_never_ends_looking_is_given_up(
    session: AgentSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "_LOOKING", 0.0)
    with pytest.raises(AdminError) as caught:
        session.facts(wishes(tmp_path))
    assert caught.value.code == "host-stuck"
