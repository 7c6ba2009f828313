"""What keeps a server from its job is said once, and as a warning only where it isn't just starting."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from omeroadmin.runtime.kernel import trouble
from omeroadmin.runtime.kernel.trouble import Trouble
from tests.support.servicecontext import service_context


def test_trouble_is_said_when_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(trouble, "monotonic", lambda: now)
    caplog.set_level(logging.INFO)

    def said() -> list[tuple[str, str]]:
        lines = [(record.levelname, record.getMessage()) for record in caplog.records]
        caplog.clear()
        return lines

    with service_context(tmp_path) as context:
        server = Trouble(context)
        server.note("no Blitz answers")
        server.note("no Blitz answers")
        assert said() == [("INFO", "no Blitz answers; waiting")]
        assert context.health.answer()["reason"] == "no Blitz answers"
        now = 110.0
        server.note("no Blitz answers")
        server.note("no Blitz answers")
        assert said() == [("WARNING", "no Blitz answers; waiting")]
        assert server.is_noted
        server.clear()
        server.clear()
        assert said() == [("INFO", "Working again")]
        assert context.health.answer()["ready"] is True
        assert not server.is_noted


def test_one_that_worked_already_warns_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with service_context(tmp_path) as context:
        server = Trouble(context)
        server.clear()
        server.note("no Blitz answers")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
