"""A deep verification that is killed leaves nothing that the next one doesn't clear away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from omeroadmin.workflows.backup import BackupWish, create_backup
from tests.support.backup import seeded_instance
from tests.support.omero import Omero
from tests.support.processes import wait_for, working_in


def test_the_next_verification_clears_away(tmp_path: Path) -> None:
    scratch, target = tmp_path / "scratch", tmp_path / "target"
    scratch.mkdir()
    with seeded_instance(tmp_path) as seeded:
        create_backup(BackupWish(seeded.database.instance, seeded.database.settings, target))
    omero = Omero(tmp_path, extra={"TMPDIR": str(scratch)})
    command = ["backup", "verify", "--deep", "--target", str(target)]
    for program in ("initdb", "checkpointer"):
        process = subprocess.Popen([sys.executable, "-m", "omeroadmin", *command], env=omero.environment)
        wait_for(program, scratch)
        process.kill()
        process.wait(60)
    assert working_in(scratch), "PostgreSQL has outlived the verification"
    omero.ok(*command, timeout=300)
    assert not working_in(scratch)
    assert not list(scratch.iterdir())
