from __future__ import annotations

from pathlib import Path

from omeroadmin.runtime.services.pixeldata.attempts import Attempts


def test_attempts_are_counted_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "tmp" / "PixelData-0.attempts"
    assert Attempts(path).begin(7) == 1
    assert Attempts(path).begin(7) == 2
    assert Attempts(path).begin(8) == 1
    Attempts(path).end()
    assert Attempts(path).begin(8) == 1
    path.write_text("rubbish")
    assert Attempts(path).begin(8) == 1
