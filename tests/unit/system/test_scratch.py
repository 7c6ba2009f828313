"""Scratch directories go with all that runs in them; those of killed makers are found and removed, others never."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.scratch import end_processes, remove_leftovers, scratch_directory

KIND = "omero-try"
MAKER = """
import subprocess, sys
from pathlib import Path
from omeroadmin.system.scratch import scratch_directory
with scratch_directory(Path(sys.argv[1]), "omero-try") as directory:
    closed = directory / "closed"
    closed.mkdir()
    (closed / "file").write_text("kept")
    closed.chmod(0o555)
    child = subprocess.Popen(["sleep", "600"], cwd=directory, start_new_session=True)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


def maker(base: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that holds a scratch directory, and the pid of a child that works in it."""
    process = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(base)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def lives(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_gone_at_the_end_with_what_runs_in_it(tmp_path: Path) -> None:
    process, child = maker(tmp_path)
    assert lives(child)
    process.communicate("", timeout=60)
    assert process.returncode == 0
    assert not lives(child)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_maker_left_goes_and_a_living_ones_stays(tmp_path: Path) -> None:
    killed, orphan = maker(tmp_path)
    alive, child = maker(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.wait(60)
    assert lives(orphan)
    removed = remove_leftovers(tmp_path, KIND)
    assert len(removed) == 1
    assert not removed[0].exists()
    assert not lives(orphan)
    assert lives(child)
    assert len(list(tmp_path.iterdir())) == 2, "directory and lock of the living one"
    alive.communicate("", timeout=60)
    assert not list(tmp_path.iterdir())


def test_names_alone_say_nothing(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    base = tmp_path / "base"
    base.mkdir()
    (base / f"{KIND}-1").symlink_to(precious)
    (base / f"{KIND}-1.lock").touch()
    (base / f"{KIND}-2").mkdir()
    (base / f"{KIND}-3.lock").symlink_to(precious / "file")
    remove_leftovers(base, KIND)
    assert (precious / "file").read_text() == "mine"
    assert (base / f"{KIND}-2").is_dir(), "without a lock, nothing says that it was ours"


def test_who_ignores_signals_is_ended(tmp_path: Path) -> None:
    script = (
        "import signal, sys; [signal.signal(n, signal.SIG_IGN) for n in (2, 3, 15)]; print(flush=True); signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    end_processes(tmp_path)
    assert process.wait(10) == -signal.SIGKILL


def test_where_there_is_no_directory(tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught, scratch_directory(tmp_path / "nowhere", KIND):
        pass
    assert caught.value.code == "directory-missing"
