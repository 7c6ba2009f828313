"""A target that is full in the middle: one line, and the partial work is removed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_full_target(tmp_path: Path) -> None:
    """In a user namespace of its own, where this user may mount small file systems."""
    command = ("unshare", "--user", "--mount", "--map-current-user", "--keep-caps")
    if os.geteuid() == 0:
        pytest.skip("PostgreSQL refuses to run as root; the unprivileged run of this suite covers this")
    possible = shutil.which("unshare") and subprocess.run(
        [*command, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if not possible or possible.returncode:
        pytest.skip("this machine allows no user namespaces that mount a small file system")
    done = subprocess.run(
        [*command, sys.executable, "-m", "tests.support.backup_disk_full", str(tmp_path)],
        cwd=Path(__file__).resolve().parents[3], capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
