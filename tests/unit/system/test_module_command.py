"""Modules run by this Python: nobody slips theirs in."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.system import process


def test_the_working_directory_is_not_looked_into(tmp_path: Path) -> None:
    for name in ("json", "argparse", "omeroadmin"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('slipped in')")
    done = process.run(process.module_command("json.tool"), timeout=30, input_text="[1]", directory=tmp_path)
    assert (done.status, done.output.split()) == (0, ["[", "1", "]"]), done.error_output
    done = process.run(process.module_command("omeroadmin", "version"), timeout=30, directory=tmp_path)
    assert done.succeeded, done.error_output
