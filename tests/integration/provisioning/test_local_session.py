"""A session with an agent on this machine: facts, apply, undo."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


def test_stage_ends_at_the_first_failure(session: AgentSession, tmp_path: Path) -> None:
    (tmp_path / "d").write_text("in the way")
    told = list[dict[str, Any]]()
    assert session.apply("run-1", "test", "stage", wishes(tmp_path), (), told.append)["end"] == "failed"
    assert told[-1]["error"]["code"] == "host-not-a-directory"
    assert (tmp_path / "d").read_text() == "in the way"
