"""A deep verification that is killed leaves nothing that the next one doesn't clear away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.backup import BackupWish, create_backup
from tests.support.backup import seeded_instance
from tests.support.omero import Omero


def working_in(directory: Path) -> list[str]:
    """Names of the processes with a working directory below a directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(directory):
                found.append(process.name())
        except psutil.Error:
            continue
    return found


def appears(program: str, directory: Path) -> bool:
    """Whether a program is at work below a directory within a minute."""
    return wait_until(lambda: program in working_in(directory), timeout=60, longest_pause=0.01)


def test_the_next_verification_clears_away(tmp_path: Path) -> None:
    scratch, target = tmp_path / "scratch", tmp_path / "target"
    scratch.mkdir()
    with seeded_instance(tmp_path) as seeded:
        create_backup(BackupWish(seeded.database.instance, seeded.database.settings, target))
    omero = Omero(tmp_path, extra={"TMPDIR": str(scratch)})
    command = ["backup", "verify", "--deep", "--target", str(target)]
    for program in ("initdb", "postgres"):
        process = subprocess.Popen([sys.executable, "-m", "omeroadmin", *command], env=omero.environment)
        assert appears(program, scratch)
        process.kill()
        process.wait(60)
    assert "postgres" in working_in(scratch), "PostgreSQL has outlived the verification"
    omero.ok(*command, timeout=300)
    assert not working_in(scratch)
    # Passwords of PostgreSQL's programs, for a killed run can't remove them: private, and of roles that are no more.
    left = [path for path in scratch.iterdir() if not path.name.startswith("omero-db-")]
    assert not left
