"""The program's other names: a link called omero-admin is omero admin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.version import VERSION

LAUNCHER = "import sys\nfrom omeroadmin.cli.quick import main\nmain()\n"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "omero"
    path.write_text(f"#!{sys.executable}\n{LAUNCHER}")
    path.chmod(0o755)
    return path


def called(program: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    link = program.with_name(name)
    if not link.exists():
        link.symlink_to(program.name)
    environment = {"PATH": os.environ["PATH"], "HOME": str(program.parent), "OMERODIR": str(program.parent)}
    return subprocess.run([link, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("name", "arguments", "usage"),
    [
        ("omero", ("admin", "start"), "Usage: omero admin start "),
        ("omero-admin", ("start",), "Usage: omero admin start "),
        ("omero-admin-start", (), "Usage: omero admin start "),
        ("omero-node", (), "Usage: omero node "),
        ("omero-nonsense", ("admin", "stop"), "Usage: omero admin stop "),
    ],
)
def test_names(program: Path, name: str, arguments: tuple[str, ...], usage: str) -> None:
    assert called(program, name, *arguments, "--help").stdout.startswith(usage)


def test_the_quick_path_has_its_names_too(program: Path) -> None:
    assert called(program, "omero-config", "path").stdout == f"{program.parent}/etc/grid/config.xml\n"


@pytest.mark.parametrize("arguments", [("version",), ("--version",), ("--omerodir", "/tmp", "--version")])
def test_the_version_is_where_people_look_for_it(program: Path, arguments: tuple[str, ...]) -> None:
    assert called(program, "omero", *arguments).stdout == f"{VERSION}\n"
