"""ruff and mypy have nothing to say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

SOURCES = ("omeroadmin", "tests", "contrib")


@pytest.mark.parametrize(
    "arguments",
    [
        ("ruff", "check", "--no-cache", *SOURCES),
        ("ruff", "format", "--no-cache", "--check", *SOURCES),
        ("mypy", "--cache-dir={tmp}", *SOURCES),
    ],
    ids=["rules", "format", "types"],
)
def test_clean(arguments: tuple[str, ...], tmp_path: Path) -> None:
    command = [sys.executable, "-m", *(word.format(tmp=tmp_path) for word in arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
