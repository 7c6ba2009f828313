"""One running server for all end-to-end tests: installed, started, logged in, with the sample images imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.omero import Omero, free_prefix

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample images."""
    directory = tmp_path_factory.mktemp("samples")
    script = CHECKOUT / "contrib" / "samples" / "make_samples.py"
    subprocess.run([sys.executable, str(script), str(directory)], check=True, timeout=120)
    return directory


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[Omero]:
    """A running instance with the samples in it; root is logged in."""
    if os.geteuid() == 0:
        pytest.skip("servers refuse to run as root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("server"), free_prefix())
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded",
             "--ports-prefix", omero.prefix, "--yes")  # fmt: skip
    omero.ok("admin", "start")
    try:
        login(omero)
        omero.ok("import", str(samples))
        yield omero
    finally:
        omero.run("admin", "stop")


def login(omero: Omero) -> None:
    """Log root in, with the password that install generated."""
    password_file = omero.omerodir / "etc" / "root_password"
    omero.ok("login", f"root@localhost:{omero.prefix}4064", "--password-file", str(password_file))
