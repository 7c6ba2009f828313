"""kill -9 of a roll-out's controller or agent at any moment: no file is half, and the next apply completes the rest."""

from __future__ import annotations

import contextlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from omeroadmin.system.clock import wait_until
from tests.support.accounts import Account, sshd_with_accounts
from tests.support.agents import leftovers, with_kept_state
from tests.support.omero import Omero
from tests.support.rounds import rounds

FILES = 12
LONGEST = 0.9
"""Seconds until something is killed: from before the first connection to after the last change."""
PLAYBOOK = f"""\
playbook: p
title: T
hosts: all
variables:
  root: {{type: path, required: true, description: D.}}
  round: {{description: D.}}
  token: {{secret: true, description: D.}}
stages:
  - stage: files
    operations:
      - directory: {{path: "{{{{ root }}}}"}}
      - file: {{path: "{{{{ root }}}}/{{{{ item }}}}", content: "{{{{ ('round ' ~ round ~ '\\n') * 20000 }}}}"}}
        for_each: "{{{{ range({FILES}) | list }}}}"
        triggers: copy
      - file: {{path: "{{{{ root }}}}/secret", content: "{{{{ token }}}} of {{{{ round }}}}\\n"}}
  - stage: after
    operations:
      - id: copy
        command: {{arguments: [sh, -c, "cp 0 copy.new; mv copy.new copy"], directory: "{{{{ root }}}}"}}
"""


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    (tmp_path / "p.yml").write_text(PLAYBOOK)
    (tmp_path / "more.yml").write_text("token: !env TOKEN\n")
    launcher = with_kept_state(tmp_path / "state")
    return Omero(tmp_path, extra={"OMERODIR": "", "TOKEN": "swordfish of somebody"}, launcher=launcher)


@dataclass(frozen=True)
class Run:
    """How a host is reached, and the directory of its files: its path there, and here."""

    omero: Omero
    way: tuple[str, ...]
    there: str
    here: Path

    def arguments(self, number: int) -> list[str]:
        """Of the command that makes all files those of a round."""
        return [
            "hosts", "apply", "p.yml", *self.way, "--yes", "--detailed-exitcode", "--vars", "more.yml",
            "--set", f"root={self.there}", "--set", f"round={number}",
        ]  # fmt: skip


def wait_a_moment(process: subprocess.Popen[bytes], root: Path, number: int, chance: random.Random) -> None:
    """Any moment of a run; every other time one in which files are being written."""
    time.sleep(chance.uniform(0.1, LONGEST))
    if chance.random() < 0.5:
        first = root / "0"
        begun = f"round {number}\n"
        wait_until(lambda: process.poll() is not None or (first.exists() and begun in first.read_text()), timeout=30)
        time.sleep(chance.uniform(0, 0.05))


def kill_one(victims: list[psutil.Process], chance: random.Random) -> None:
    with contextlib.suppress(psutil.NoSuchProcess, IndexError):
        chance.choice(victims).send_signal(signal.SIGKILL)


def assert_whole(root: Path, number: int) -> None:
    """Each file is the one of this round or of the one before."""
    for path in root.glob("[0-9]*"):
        content = path.read_text()
        assert content in {f"round {one}\n" * 20000 for one in (number - 1, number)}, f"{path}: {content[:20]!r}"


def test_next_apply_completes(omero: Omero) -> None:
    chance, root = random.Random(8), omero.home / "root"
    run = Run(omero, ("--local",), str(root), root)

    def kill(process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            own = psutil.Process(process.pid)
            kill_one([own, *own.children(recursive=True)], chance)

    for number in range(1, rounds(8) + 1):
        break_off_and_complete(run, number, chance, kill)
    assert_no_secret(omero, run.here)


@pytest.mark.root
def test_next_apply_completes_after_a_lost_connection(omero: Omero, tmp_path: Path) -> None:
    chance = random.Random(9)
    with sshd_with_accounts(tmp_path / "sshd", {"admin": Account()}) as sshd:
        (tmp_path / "hosts.yml").write_text(
            f"hosts: {{h: {{address: 127.0.0.1, port: {sshd.port}, user: admin, key: {sshd.home}/.ssh/id_ed25519}}}}\n"
        )
        (tmp_path / ".ssh").mkdir()
        shutil.copy(sshd.home / ".ssh" / "known_hosts", tmp_path / ".ssh")
        there = "/etc/omeroadmin-homes/admin/root"
        here = tmp_path / "sshd" / there.lstrip("/")
        run = Run(omero, (), there, here)

        def kill(process: subprocess.Popen[bytes]) -> None:
            kill_one([*map(psutil.Process, sshd.children())], chance)

        for number in range(1, rounds(4) + 1):
            break_off_and_complete(run, number, chance, kill)
    assert_no_secret(omero, here)


def break_off_and_complete(
    run: Run, number: int, chance: random.Random, kill: Callable[[subprocess.Popen[bytes]], None]
) -> None:
    omero, root, words = run.omero, run.here, run.arguments(number)
    process = subprocess.Popen(
        [*omero.launcher, sys.executable, "-m", "omeroadmin", *words],
        env=omero.environment, cwd=omero.home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_a_moment(process, root, number, chance)
    kill(process)
    process.wait(60)
    assert_whole(root, number)
    # What the killed one left running ends by itself, and is waited for.
    done = omero.run(*words)
    assert done.returncode in (0, 8), done.stdout + done.stderr
    again = omero.run(*words)
    assert (again.returncode, again.stdout) == (0, ""), again.stdout + again.stderr
    for name in (*map(str, range(FILES)), "copy"):
        assert (root / name).read_text() == f"round {number}\n" * 20000, name
    assert (root / "secret").read_text() == f"swordfish of somebody of {number}\n"
    assert leftovers(omero.home) == []


def assert_no_secret(omero: Omero, root: Path) -> None:
    assert wait_until(lambda: no_agents(omero), timeout=60)
    secret = b"swordfish of somebody"
    holding = [path for path in omero.home.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert holding == [root / "secret"]


def no_agents(omero: Omero) -> bool:
    """Whether every process that worked below this home has ended."""
    lines = (process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"]))
    return not any(str(omero.home) in " ".join(line) for line in lines)
