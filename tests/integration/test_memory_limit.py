"""Heaps are limits: whoever goes beyond one ends and is started again, and nobody else notices."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.grid.client import grid_state
from omeroadmin.runtime.kernel.client import UnixConnection
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.support.liveserver import Api
from tests.support.omero import Omero, free_prefix

HOG = """
import json, os, sys
kept = []
while True:
    kept.append(bytes(1000))
"""
EXHAUSTED = "java.lang.OutOfMemoryError: out of memory, the limit is"


@pytest.fixture(scope="module")
def omero(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omero]:
    """A running server whose heaps are small."""
    if os.geteuid() == 0:
        pytest.skip("servers refuse to run as root; the unprivileged run of this suite covers this")
    omero = Omero(tmp_path_factory.mktemp("memory"), free_prefix())
    omero.ok("install", "--dir", str(omero.omerodir), "--data-dir", str(omero.data), "--db", "embedded",
             "--ports-prefix", omero.prefix, "--yes")  # fmt: skip
    omero.ok("config", "set", "omero.jvmcfg.heap_size.blitz", "64m")
    omero.ok("config", "set", "omero.jvmcfg.heap_dump.blitz", "cwd")
    omero.ok("config", "set", "omero.scripts.memory", "128")
    (omero.omerodir / "lib" / "scripts" / "hog.py").write_text(HOG)
    omero.ok("admin", "start")
    try:
        yield omero
    finally:
        omero.run("admin", "stop")


@pytest.fixture
def api(omero: Omero) -> Iterator[Api]:
    """A client of Blitz, logged in as root."""
    client = Api(UnixConnection(omero.omerodir / "var" / "run" / "Blitz-0.sock", 60))
    client.login(password=(omero.omerodir / "etc" / "root_password").read_text().strip())
    yield client
    client.close()


def pids(omero: Omero) -> dict[str, int | None]:
    """Processes of the servers that are active."""
    return {server.id: server.pid for server in grid_state(Instance(omero.omerodir)).servers if server.is_active}


def wait_for_another(omero: Omero, server: str, before: dict[str, int | None]) -> None:
    """Wait until a server has a new process, and see that it is the only one."""
    assert len(before) >= 9

    def replaced() -> bool:
        return pids(omero).get(server, before[server]) != before[server]

    assert wait_until(replaced, timeout=30, longest_pause=0.1), log_of(omero, server)[-2000:]
    assert wait_until(lambda: pids(omero).keys() == before.keys(), timeout=10, longest_pause=0.1)
    assert {name: pid for name, pid in pids(omero).items() if before[name] != pid}.keys() == {server}


def log_of(omero: Omero, server: str) -> str:
    return (omero.omerodir / "var" / "log" / f"{server}.log").read_text()


def test_a_request_beyond_the_heap_of_blitz(omero: Omero, api: Api) -> None:
    before = pids(omero)
    table = b'{"columns": [{"name": "a", "type": "long"}], "rows": [' + b"[0]," * 3_000_000 + b"[0]]}"
    answer = api.call("POST", "/tables", table)
    assert (answer.status, answer.code) == (503, "out-of-memory")
    wait_for_another(omero, "Blitz-0", before)
    assert log_of(omero, "Blitz-0").count(f"{EXHAUSTED} -Xmx64m") == 1
    assert f"{EXHAUSTED} -Xmx64m" in (omero.omerodir / "var" / "log" / "master.err").read_text()
    (profile,) = omero.omerodir.glob("java_pid*.heap.txt")
    assert profile.stat().st_mode & 0o777 == 0o600
    assert "Objects by type" in profile.read_text()


def test_a_script_beyond_the_heap_of_processor(omero: Omero, api: Api) -> None:
    scripts = api.call("GET", "/scripts").document["scripts"]
    number = next(script["id"] for script in scripts if script["path"].endswith("hog.py"))
    before = pids(omero)
    job = api.call("POST", f"/scripts/{number}/jobs", {"inputs": {}}).document["job_id"]
    state: dict[str, str] = {}

    def ended() -> bool:
        state.update(api.call("GET", f"/jobs/{job}").document)
        return state["status"] not in ("Submitted", "Running")

    assert wait_until(ended, timeout=60, longest_pause=0.2), state
    assert state["status"] == "Error"
    assert state["message"].startswith(f"{EXHAUSTED} 128 MB (see omero.scripts.memory)")
    assert EXHAUSTED in state["stderr"]
    wait_for_another(omero, "Processor-0", before)
    lines = [line for line in log_of(omero, "Processor-0").splitlines() if EXHAUSTED in line and " ERROR " in line]
    assert len(lines) == 1
    assert f"Job:{job}" in lines[0]


def test_many_such_scripts_do_not_end_processor(omero: Omero, api: Api) -> None:
    """Five failures within a minute would have the node give it up."""
    scripts = api.call("GET", "/scripts").document["scripts"]
    number = {Path(script["path"]).name: script["id"] for script in scripts}
    for _ in range(6):
        api.call("POST", f"/scripts/{number['hog.py']}/jobs", {"inputs": {}})
    last = api.call("POST", f"/scripts/{number['ping.py']}/jobs", {"inputs": {}}).document["job_id"]

    def ended() -> bool:
        return str(api.call("GET", f"/jobs/{last}").document["status"]) == "Finished"

    assert wait_until(ended, timeout=90, longest_pause=0.5)
    assert "Processor-0" in pids(omero)
