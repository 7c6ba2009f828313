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


def test_a_reader_that_goes_is_content(tmp_path: Path) -> None:
    """As with ``omero … | head -1``: much is left unsaid, and nothing is wrong."""
    with subprocess.Popen(
        [sys.executable, "-m", "omeroadmin", "config", "parse", "--json"],
        env={"HOME": str(tmp_path), "OMERO_USERDIR": str(tmp_path / "user"), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdout.read(1)
        program.stdout.close()
        assert program.stderr.read() == b""
        assert program.wait(60) == 0
    assert not (tmp_path / "user").exists()
