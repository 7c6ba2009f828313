from __future__ import annotations

from pathlib import Path

from omeroadmin.runtime.services.pixeldata.attempts import Attempts


def test_attempts_are_counted_across_processes(tmp_path: Path) -> None:
    path = tmp_path / "tmp" / "PixelData-0.attempts"
    assert Attempts(path).begin(7) == 1
    assert Attempts(path).begin(7) == 2
    several = Attempts(path)
    assert several.left == {7}
    assert several.begin(8) == 1
    several.end(7)
    assert Attempts(path).left == {8}
    several.end(8)
    several.end(8)
    assert not path.exists()
    assert Attempts(path).begin(7) == 1
    path.write_text("rubbish")
    assert Attempts(path).begin(8) == 1
