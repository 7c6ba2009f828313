"""Standard output that takes nothing, or isn't there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("command", ["version", "hosts facts --local"])
@pytest.mark.parametrize(
    ("where", "status", "words"),
    [
        (">/dev/full", 5, "omero: the result can't be written to standard output: No space left on device\n"),
        (">&-", 0, ""),
        ("<&-", 0, ""),
    ],
)
def test_streams(tmp_path: Path, command: str, where: str, status: int, words: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f"'{sys.executable}' -m omeroadmin {command} {where}"],
        env={"HOME": str(tmp_path), "OMERO_USERDIR": str(tmp_path / "user"), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (status, words)
