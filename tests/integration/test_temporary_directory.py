"""``OMERO_TMPDIR``: where temporary files go, those of programs that are started as well."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.support.omero import Omero


def test_temporary_files_are_where_omero_tmpdir_says(tmp_path: Path) -> None:
    (tmp_path / "OMERO.server" / "etc" / "grid").mkdir(parents=True)
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\necho "$1" > edited\necho "$TMPDIR" > inherited\n')
    editor.chmod(0o755)
    chosen = tmp_path / "chosen" / "below"
    omero = Omero(tmp_path, extra={"OMERO_TMPDIR": str(chosen), "EDITOR": str(editor)})
    omero.ok("config", "edit")
    assert (tmp_path / "edited").read_text().startswith(f"{chosen}/")
    assert (tmp_path / "inherited").read_text().strip() == str(chosen)
    assert stat.S_IMODE(chosen.stat().st_mode) == 0o700
    assert list(chosen.iterdir()) == []


def test_one_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    omero = Omero(tmp_path, extra={"OMERO_TMPDIR": str(tmp_path / "file" / "below")})
    done = omero.run("sessions", "file")
    message, hint = done.stderr.splitlines()
    assert done.returncode == 5
    assert str(tmp_path / "file" / "below") in message
    assert hint.startswith("  -> ")
