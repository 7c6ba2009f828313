"""kill -9 in the middle of writes: config.xml is whole, its history agrees, and the next writer can write."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from pathlib import Path

import pytest

from omeroadmin.profiles import journal
from omeroadmin.profiles.desired.apply import apply_wishes
from omeroadmin.profiles.desired.wish import Wish
from omeroadmin.profiles.history import read_history, read_state
from omeroadmin.profiles.load import load_properties
from omeroadmin.profiles.properties import parse_properties
from omeroadmin.profiles.rollback import roll_back
from omeroadmin.profiles.state import State, digest
from omeroadmin.profiles.store import activate_profile, drop_profile, update_profile
from omeroadmin.system.clock import monotonic, wait_until
from tests.support.history import assert_agrees
from tests.support.profiles import INSTALLED, config_file, environment

KILLS, COMMAND_KILLS = 400, 100
LONGEST = 0.04
"""Seconds until a writer is killed: several of its writes."""
TWINS = [f"twin.{number}" for number in range(8)]
"""Properties that every change sets to the same value."""


def twins(token: str) -> dict[str, str]:
    return dict.fromkeys(TWINS, token)


def change_something(file: Path, chance: random.Random) -> None:
    """One change that keeps the twins of every profile alike."""
    token = str(chance.getrandbits(40))
    profile = chance.choice(["default", "ldap"])
    match chance.choice(["set", "set", "load", "apply", "rollback", "def", "drop"]):
        case "set":
            update_profile(file, twins(token), profile=profile)
        case "load":
            text = "".join(f"{name}={token}\n" for name in TWINS)
            load_properties(file, parse_properties(text, "x"), overwrite=True, force=False, profile=profile)
        case "apply":
            apply_wishes(file, [Wish(name, token, "x") for name in TWINS], prune=True, force=False)
        case "rollback":
            known = [revision.number for revision in read_history(file).revisions]
            roll_back(file, chance.choice(known))
        case "def":
            activate_profile(file, profile)
        case "drop" if profile in read_state(file).profiles:
            drop_profile(file, profile)


def start_writer(file: Path, seed: int) -> tuple[int, int]:
    """A process that changes and tells the state after each change until it is killed.

    :return: its pid, and the pipe on which it tells
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return pid, read
    status = 1
    try:
        chance = random.Random(seed)
        while True:
            os.write(write, f"{digest(read_state(file))}\n".encode())
            change_something(file, chance)
    finally:
        os._exit(status)


def kill_at(pid: int, told: int, seconds: float) -> list[str]:
    """Kill a writer after some time, and give what it has told."""
    wait_until(lambda: False, timeout=seconds, first_pause=seconds or 1)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(told) as stream:
        lines = stream.read().splitlines()
    assert os.WIFSIGNALED(status), "the writer failed by itself"
    return lines


def assert_whole(state: State) -> None:
    """No change was made by half."""
    for values in state.profiles.values():
        assert len({values.get(name) for name in TWINS}) == 1


def test_killed_writers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that the history's beginning is moved now and then as well.
    monkeypatch.setattr(journal, "MOST_REVISIONS", 40)
    monkeypatch.setattr(journal, "_KEPT_REVISIONS", 30)
    monkeypatch.delenv("OMERO_CONFIG", raising=False)
    chance = random.Random(5)
    file = config_file(tmp_path)
    update_profile(file, twins("0"))
    unconfirmed = between = 0
    for number in range(KILLS):
        before = digest(read_state(file))
        told = kill_at(*start_writer(file, seed=number), seconds=chance.uniform(0, LONGEST))
        last_told = told[-1] if told else before
        history = assert_agrees(file)
        assert_whole(history.present)
        now = digest(history.present)
        # The last change may have been made and not yet told; no other state is possible.
        assert now == last_told or history.revisions[-1].before == last_told
        assert file.stat().st_mode & 0o777 == 0o600
        between += now != last_told
        content = history.file.read_bytes()
        unconfirmed += not content.endswith(b'"done":1}\n') and bool(history.revisions)
        if number % 3 == 0:
            update_profile(file, twins(f"after {number}"), wait=0.5)
            assert set(read_state(file).values(read_state(file).active)) == set(TWINS)
            assert_agrees(file)
    update_profile(file, twins("end"), wait=0.5)
    names = sorted(path.name for path in file.parent.iterdir())
    assert names == ["config.xml", "config.xml.history", "config.xml.lock"]
    # Kills did come between the steps of a write, or this has shown nothing.
    assert unconfirmed >= 10
    assert between >= 3


@pytest.mark.parametrize(
    "arguments", [("set", "twin", "{}"), ("load", "-q", "-"), ("apply", "{file}"), ("rollback", "1", "--yes")]
)
def test_killed_commands(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    chance = random.Random(7)
    file = config_file(tmp_path)
    update_profile(file, twins("0"))
    wishes = tmp_path / "wishes.properties"
    longest, kills, number = 20.0, 0, 0
    while kills < COMMAND_KILLS // 4:
        number += 1
        update_profile(file, twins(f"set {number}"), wait=0.5)
        old = digest(read_state(file))
        wishes.write_text("".join(f"{name}=applied {number}\n" for name in TWINS))
        words = [word.format(number, file=wishes) for word in arguments]
        start = monotonic()
        status = run_and_kill(file, words, number, seconds=longest if number == 1 else chance.uniform(0.3, 1) * longest)
        if number == 1:
            # The first is let live, and tells how long the others have; the part that loads modules is left alone.
            longest = monotonic() - start
            assert status == 0
        kills += status == -signal.SIGKILL
        assert number < COMMAND_KILLS, "hardly anything is killed"
        assert status in (0, -signal.SIGKILL)
        history = assert_agrees(file)
        assert_whole(history.present)
        now = digest(history.present)
        assert now == old or history.revisions[-1].before == old
        assert status != 0 or now != old


def run_and_kill(file: Path, words: list[str], number: int, *, seconds: float) -> int:
    """Run `omero config`, and kill it unless it has ended before."""
    command = [INSTALLED, "config", *words]
    with subprocess.Popen(
        command, env=environment(file), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write("".join(f"{name}=loaded {number}\n" for name in TWINS))
        process.stdin.close()
        wait_until(lambda: process.poll() is not None, timeout=seconds, first_pause=0.002)
        process.kill()
        return process.wait(timeout=10)
