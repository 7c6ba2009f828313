"""``fs check``: every fault that was made is found and named, and none else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from omeroadmin.workflows.file_check import FaultyFile, FileCheckWish, check_files
from tests.support.graph import person
from tests.support.liveserver import LiveServer, command_line, live, start_all


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose files get damaged."""
    with live(tmp_path_factory.mktemp("checked")) as server:
        yield start_all(server)


def files_of(server: LiveServer, image: int) -> list[tuple[int, Path]]:
    rows = server.sql(
        "SELECT o.id, o.path || o.name FROM image i JOIN filesetentry e ON e.fileset = i.fileset"
        " JOIN originalfile o ON o.id = e.originalfile WHERE i.id = %s ORDER BY o.id",
        image,
    )
    return [(int(number), server.managed / str(place)) for number, place in rows]


def check(server: LiveServer, **options: object) -> dict[int, FaultyFile]:
    wish = FileCheckWish(server.database.instance, server.database.settings, **options)  # type: ignore[arg-type]
    return {fault.file_id: fault for fault in check_files(wish).faults()}


def flip(path: Path) -> None:
    """Another byte in the middle, and all else as it was."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_every_fault_is_found_and_none_else(server: LiveServer) -> None:
    user = person(server)
    images = user.image(*(f"picture {number}" for number in range(12)))
    pictures = files_of(server, images[0])
    [own] = server.sql("SELECT omename, (SELECT name FROM experimentergroup WHERE id = %s) FROM experimenter"
                       " WHERE id = %s", user.group, user.id)  # fmt: skip
    assert check(server, checksums=True) == {}
    (missing, gone), (short, cut), (flipped, changed) = pictures[1], pictures[4], pictures[7]
    whole = [path.read_bytes() for path in (gone, cut, changed)]
    gone.unlink()
    cut.write_bytes(whole[1][:-1])
    flip(changed)
    found = check(server)
    assert {number: fault.kind for number, fault in found.items()} == {missing: "missing", short: "size-differs"}
    found = check(server, checksums=True)
    assert {number: fault.kind for number, fault in found.items()} == {
        missing: "missing",
        short: "size-differs",
        flipped: "hash-differs",
    }
    assert found[flipped].path == str(changed)
    assert set(found[flipped].images) == set(images)
    assert (found[flipped].user, found[flipped].group) == own
    [fileset] = {fault.fileset for fault in found.values()}
    answer = server.tls().login().call("POST", f"/filesets/{fileset}/check")
    assert {fault["file_id"]: fault["problem"] for fault in answer.document["faults"]} == {
        number: fault.problem for number, fault in found.items()
    }, "fs sets --check says the same"
    for path, content in zip((gone, cut, changed), whole, strict=True):
        path.write_bytes(content)
    assert check(server, checksums=True) == {}


def test_the_command_line(server: LiveServer, tmp_path: Path) -> None:
    omero = command_line(server, tmp_path)
    [image] = person(server).image("one")
    [(number, path)] = files_of(server, image)
    assert "all as recorded" in omero.ok("fs", "check")
    assert omero.ok("fs", "check", "--quiet") == ""
    content = path.read_bytes()
    path.unlink()
    done = omero.run("fs", "check")
    assert done.returncode == 5, done
    assert done.stdout.startswith(f"missing: {path} (OriginalFile:{number} of Image:{image}; ")
    document = json.loads(omero.run("fs", "check", "--checksums", "--json").stdout)
    assert document["schema"] == "omeroadmin/fs/check/1"
    assert [fault["file_id"] for fault in document["faults"]] == [number]
    path.write_bytes(content)
    for wrong in (("--sample", "5%"), ("--checksums", "--sample", "none"), ("--checksums", "--sample", "101%")):
        assert omero.run("fs", "check", *wrong).returncode == 2


def test_a_sample_reads_some_of_the_files_and_looks_at_all(server: LiveServer) -> None:
    person(server).image(*(f"{number}" for number in range(40)))
    wish = FileCheckWish(server.database.instance, server.database.settings, checksums=True, sample=0.5)
    counts = {check_files(wish).progress.hashed for _ in range(6)}
    files = check_files(wish).progress.files
    assert all(0 < count < files for count in counts)
    assert len(counts) > 1, "another sample each time"


def test_a_killed_check_goes_on(server: LiveServer, tmp_path: Path) -> None:
    images = person(server).image(*(f"{number}" for number in range(30)))
    pictures = files_of(server, images[0])
    faulty = [pictures[3], pictures[25]]
    contents = [path.read_bytes() for _, path in faulty]
    for _, path in faulty:
        path.unlink()
    state = server.runtime.instance.var / "fs-check.json"
    omero = command_line(server, tmp_path)
    # So slow that it is killed in the middle.
    arguments = [sys.executable, "-m", "omeroadmin", "fs", "check", "--checksums", "--limit", "0.001"]
    process = subprocess.Popen(arguments, env=omero.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert wait_until(state.exists, timeout=60)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    done = json.loads(state.read_text())
    began = time.monotonic()
    wish = FileCheckWish(server.database.instance, server.database.settings, checksums=True)
    outcome = check_files(wish)
    assert outcome.continued
    assert outcome.progress.files > done["files"] > 0
    assert {fault.file_id for fault in outcome.faults()} == {number for number, _ in faulty}
    assert time.monotonic() - began < 60
    assert not state.exists()
    assert not check_files(wish).continued
    for (_, path), content in zip(faulty, contents, strict=True):
        path.write_bytes(content)
