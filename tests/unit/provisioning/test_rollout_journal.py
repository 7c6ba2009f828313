"""Journals of roll-outs: what they hold, also when they were cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning import journal as journal_module
from omeroadmin.provisioning.journal import Journal, list_runs, read_journal, read_journals
from omeroadmin.provisioning.rollout_plan import HostState, Problem
from omeroadmin.provisioning.rollout_report import Done, HostReport

DONE = Done("p/s/1", ("write /a", "change mode of /a"), 0.5)
REPORTS = (
    HostReport("h1", HostState.CHANGED, (DONE,), None, 0.7),
    HostReport("h2", HostState.FAILED, (), Problem("host-odd", "it is odd", "look"), 0.1),
)


def written(directory: Path) -> Journal:
    journal = Journal(directory)
    journal.begin("apply", "me@here", ("p", "q"), ["h1", "h2"])
    journal.done("h1", DONE)
    for report in REPORTS:
        journal.host(report)
    journal.end()
    return journal


def test_what_was_written_is_read(tmp_path: Path) -> None:
    journal = written(tmp_path / "rollouts")
    report = read_journal(tmp_path / "rollouts")
    assert (report.run, report.action, report.who, report.playbooks) == (journal.run, "apply", "me@here", ("p", "q"))
    assert report.hosts == REPORTS
    assert report.complete
    assert [host.change_count for host in report.hosts] == [2, 0]
    assert (tmp_path / "rollouts").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "rollouts" / f"{journal.run}.jsonl").stat().st_mode & 0o777 == 0o600


def test_every_beginning_of_a_journal_is_read(tmp_path: Path) -> None:
    journal = written(tmp_path)
    path = tmp_path / f"{journal.run}.jsonl"
    content = path.read_bytes()
    first = content.index(b"\n")
    for length in range(first, len(content) - 1):
        path.write_bytes(content[:length])
        report = read_journal(tmp_path)
        assert [host.host for host in report.hosts] == ["h1", "h2"]
        assert not report.complete
        if length < content.index(b'"state":"failed"'):
            assert report.hosts[1].state is HostState.INTERRUPTED
    other = written(tmp_path)
    for length in (0, first - 1):
        path.write_bytes(content[:length])
        with pytest.raises(AdminError) as caught:
            read_journal(tmp_path, journal.run)
        assert caught.value.code == "journal-damaged"
        assert [report.run for report in read_journals(tmp_path)] == [other.run]


def test_runs_are_found_by_the_beginning_of_their_names(tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        read_journal(tmp_path / "none")
    assert caught.value.code == "run-unknown"
    first, second = written(tmp_path), written(tmp_path)
    assert list_runs(tmp_path) == [first.run, second.run]
    assert read_journal(tmp_path).run == second.run
    assert read_journal(tmp_path, first.run).run == first.run
    for name, code in ((first.run[:8], "run-ambiguous"), ("../x", "run-unknown")):
        with pytest.raises(AdminError) as caught:
            read_journal(tmp_path, name)
        assert caught.value.code == code


def test_the_oldest_journals_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEPT_RUNS", 3)
    (tmp_path / "notes.jsonl").write_text("mine")
    runs = [written(tmp_path).run for _ in range(5)]
    assert list_runs(tmp_path) == runs[-3:]
    assert (tmp_path / "notes.jsonl").exists()
