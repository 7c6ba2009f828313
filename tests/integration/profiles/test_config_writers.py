"""Several writers and readers at once: every acknowledged write is there, and every read is whole."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from omeroadmin.profiles.store import read_profile, update_profile
from omeroadmin.system.clock import monotonic
from tests.support.history import assert_agrees
from tests.support.profiles import config_file, omero

WRITERS, ROUNDS = 4, 10
WRITER = """
import sys
from pathlib import Path
from omeroadmin.profiles.store import update_profile
for number in range(int(sys.argv[3])):
    update_profile(Path(sys.argv[1]), {f"writer.{sys.argv[2]}.{number}": "x" * number})
"""
COMMANDS, PROCESSES = 400, 8


def test_no_write_is_lost(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"first": "1"})
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(number), str(ROUNDS)])
        for number in range(WRITERS)
    ]
    deadline = monotonic() + 60
    while any(writer.poll() is None for writer in writers) and monotonic() < deadline:
        assert read_profile(file).values["first"] == "1"
    assert [writer.wait(timeout=10) for writer in writers] == [0] * WRITERS
    expected = {f"writer.{writer}.{number}": "x" * number for writer in range(WRITERS) for number in range(ROUNDS)}
    assert read_profile(file).values == {"first": "1", **expected}
    assert len(assert_agrees(file).revisions) == 1 + WRITERS * ROUNDS


def test_400_commands_of_8_processes(tmp_path: Path) -> None:
    file = config_file(tmp_path)

    def set_one(number: int) -> tuple[int, str]:
        done = omero(file, "config", "set", f"key.{number}", f"value {number}")
        return done.returncode, done.stderr

    with ThreadPoolExecutor(PROCESSES) as pool:
        outcomes = list(pool.map(set_one, range(COMMANDS)))
    assert outcomes == [(0, "")] * COMMANDS
    assert read_profile(file).values == {f"key.{number}": f"value {number}" for number in range(COMMANDS)}
    listed = json.loads(omero(file, "config", "log", "--limit", "0", "--json").stdout)["revisions"]
    assert [item["revision"] for item in listed] == list(range(COMMANDS, 0, -1))
    names = [entry["name"] for item in listed for profile in item["profiles"] for entry in profile["properties"]]
    assert sorted(names) == sorted(f"key.{number}" for number in range(COMMANDS))
    assert_agrees(file)
