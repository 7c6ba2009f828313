"""Agents of tests of operations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.agents import Worker, with_own_state, worker, worker_apart


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """An agent of this user, whose state is in a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    with worker(with_own_state()) as found:
        yield found


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Worker]:
    """An agent of root whose host is below ``tmp_path / "host"``."""
    with worker_apart(tmp_path / "host") as found:
        yield found
