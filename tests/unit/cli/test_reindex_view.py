from __future__ import annotations

import pytest

from omeroadmin.cli.views import reindex as view
from omeroadmin.workflows.reindex_all import Note, Pace


@pytest.mark.parametrize(
    ("pace", "line"),
    [
        (Pace(0, 1000, 0.0), "  0.00 %  0 of 1000, 0/s"),
        (Pace(250, 1000, 10.0), " 25.00 %  250 of 1000, 25/s, 0:00:30 left"),
        (Pace(500, 8000, 5.0, 400), "  6.25 %  500 of 8000, 20/s, 0:06:15 left"),
        (Pace(9, 9, 1.0), "100.00 %  9 of 9, 9/s, 0:00:00 left"),
        (Pace(0, 0, 1.0), "100.00 %  0 of 0, 0/s"),
    ],
)
def test_the_pace_in_words(pace: Pace, line: str) -> None:
    assert view.pace_line(pace) == line


def test_steps_that_are_ahead() -> None:
    assert len(view.steps_ahead(None)) == 6
    assert view.steps_ahead(Note("finish", "2026-11-28T20:00:00Z"))[1:] == [
        "  1. enable and start the indexer",
        "  2. wait until everything is indexed",
    ]


def test_progress_is_for_terminals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with view.progress() as listener:
        listener.step("wipe")
        listener.pace(Pace(1, 2, 1.0))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with view.progress() as listener:
        listener.step("wipe")
        listener.pace(Pace(1, 2, 1.0))
        listener.step("Image")
    error = capsys.readouterr().err
    assert error.startswith("remove the index\n\r 50.00 %  1 of 2, 1/s, 0:00:01 left")
    assert error.endswith("\nImage\n")
