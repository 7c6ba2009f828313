"""Records of how changes are taken back, on a disk that is full."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from omeroadmin.provisioning.agent import state
from omeroadmin.provisioning.agent.change import HostError


def test_a_record_that_does_not_fit_spoils_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "state_directory", lambda: str(tmp_path))
    state.record_undo("run-1", "s", "file", {"path": "/first"})
    size = (tmp_path / "runs/run-1.jsonl").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, hard))
    try:
        with pytest.raises(HostError) as caught:
            state.record_undo("run-1", "s", "file", {"path": "/second"})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.code == "host-file-not-written"
    assert str(tmp_path) in caught.value.message
    assert (tmp_path / "runs/run-1.jsonl").stat().st_size == size
    state.record_undo("run-1", "s", "file", {"path": "/third"})
    assert [record["undo"]["path"] for record in state.undo_records("run-1", [])] == ["/third", "/first"]
