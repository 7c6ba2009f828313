"""``make demo`` from a copy of the checkout with a clean HOME: as root, unprivileged, and without a PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.components import require_program

CHECKOUT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "demo", "__pycache__", ".*_cache", ".hypothesis", ".coverage*", "*.egg-info"
)
HIDE_DATABASE = """
for directory in /usr/lib/postgresql /usr/pgsql-*; do
    if [ -d "$directory" ]; then mount -t tmpfs none "$directory"; fi
done
exec "$@"
"""
"""Run in a mount namespace of its own: the machine looks as if no PostgreSQL were installed."""


class Checkout:
    """A fresh copy of the project, and make in it."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.home.mkdir(mode=0o755)
        self.path = directory / "omeroadmin"
        shutil.copytree(CHECKOUT, self.path, ignore=left_out)

    def run(self, *command: str, timeout: float = 540) -> subprocess.CompletedProcess[str]:
        """Run a command in the copy."""
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        environment = {**kept, "HOME": str(self.home), "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
        return subprocess.run(
            command, cwd=self.path, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def status(self) -> int:
        """What the README tells to type after the demo."""
        return self.run("sh", "-c", ". demo/env.sh; omero admin status").returncode


def left_out(where: str, names: list[str]) -> set[str]:
    """What a clone wouldn't have; contrib/demo is not the demo."""
    ignored = LEFT_OUT(where, names)
    return {name for name in ignored if not (name == "demo" and Path(where) != CHECKOUT)}


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A copy whose demo is stopped at the end."""
    for directory in (tmp_path, tmp_path.parent):
        directory.chmod(0o755)
    copy = Checkout(tmp_path)
    yield copy
    copy.run("make", "demo-clean")


def check_demo(checkout: Checkout, *wrapper: str) -> str:
    """Run the demo twice, look at it, stop it.

    :return: what the first run printed
    """
    first = checkout.run(*wrapper, "make", "demo")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "The demo is up" in first.stdout
    assert checkout.status() == 0
    second = checkout.run(*wrapper, "make", "demo")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "nothing to do" in second.stdout + second.stderr
    stopped = checkout.run(*wrapper, "make", "demo-stop")
    assert stopped.returncode == 0, stopped.stderr
    assert checkout.status() == 1
    return first.stdout + first.stderr


@pytest.mark.timeout(1200)
def test_demo_unprivileged(checkout: Checkout) -> None:
    if os.geteuid() == 0:
        pytest.skip("the unprivileged run of this suite covers this")
    check_demo(checkout)
    removed = checkout.run("make", "demo-clean")
    assert removed.returncode == 0
    assert not (checkout.path / "demo").exists()


@pytest.mark.root
@pytest.mark.timeout(1200)
def test_demo_as_root_without_postgresql(checkout: Checkout) -> None:
    unshare = str(require_program("unshare", package="util-linux"))
    output = check_demo(checkout, unshare, "-m", "sh", "-c", HIDE_DATABASE, "sh")
    assert "runs as user" in output
    owners = {path.stat().st_uid for path in (checkout.path / "demo" / "OMERO").iterdir()}
    assert 0 not in owners


@pytest.mark.root
def test_demo_in_a_checkout_that_the_account_cannot_reach(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o700)
    done = Checkout(tmp_path / "closed").run("make", "demo")
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    complaints = [line for line in done.stderr.splitlines() if "can't read" in line]
    assert len(complaints) == 1, done.stderr
    assert lines == [] or lines == complaints
