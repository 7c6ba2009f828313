"""The how-to pages are true: what they tell to type is typed, block by block, and must succeed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.omero import Omero, free_prefix

PAGES = Path(__file__).resolve().parents[2] / "docs" / "how-to"
WITH_A_SERVER = (
    "repository",
    "backup",
    "configure",
    "monitoring",
    "certificates",
    "users-and-groups",
    "sessions",
    "web",
    "import",
    "delete-and-move",
    "organise",
    "database",
    "restore-old-backups",
    "search-index",
    "restore-files",
    "seal-backups",
)
"""Pages that start from a running, filled server; the others start from nothing."""


def commands(page: Path) -> str:
    """The blocks of shell commands of a page, as one script."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    assert blocks, f"{page} has no block of commands"
    return "set -eu\n" + "".join(blocks)


def run(script: str, omero: Omero, **environment: str) -> None:
    """Run a page's commands in the home of an instance."""
    done = subprocess.run(
        ["bash", "-c", script],
        env={**omero.environment, **environment},
        cwd=omero.home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("name", sorted(page.stem for page in PAGES.glob("*.md")))
def test_page(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("servers refuse to run as root; the unprivileged run of this suite covers this")
    script = commands(PAGES / f"{name}.md")
    samples: Path = request.getfixturevalue("samples")
    if name in WITH_A_SERVER:
        omero: Omero = request.getfixturevalue("server")
        shutil.copytree(samples, omero.home / "images", dirs_exist_ok=True)
        run(script, omero)
        return
    shutil.copytree(samples, tmp_path / "samples")
    # The usual ports may be in use on this machine; the page itself says how to get others.
    prefix = free_prefix(2)
    omero = Omero(tmp_path, prefix)
    try:
        run(script.replace("--db embedded", f"--db embedded --ports-prefix {prefix}"), omero)
    finally:
        omero.run("admin", "stop")
