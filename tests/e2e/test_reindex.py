"""``omero admin reindex`` around the running server: every verb, what is found afterwards, and kills at any moment."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.support.omero import Omero

KILLS = int(os.environ.get("OMERO_TEST_KILLS", "6"))
MANUAL = b"""
select trunc(((select count(*) from eventlog el, configuration c where el.id < cast(c.value as int) and (c.name
like 'PersistentEventLogLoader%')) * 1.0) / (select count(*) from eventlog) * 100, 2)
"""
"""The statement of OMERO's manual."""


def sql(server: Omero, statement: bytes) -> Any:
    """The one value that a statement gives."""
    with connect(DatabaseAddress.from_settings(load_settings(Instance(server.omerodir)))) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def searched(server: Omero) -> Iterator[Omero]:
    """The server, all of it indexed before and afterwards."""
    assert wait_until(lambda: status(server)["behind"] == 0, timeout=60)
    yield server
    server.run("admin", "reindex", "--finish")
    assert wait_until(lambda: status(server)["behind"] == 0, timeout=60)


def status(server: Omero) -> dict[str, Any]:
    """What ``--status`` says."""
    document: dict[str, Any] = json.loads(server.run("admin", "reindex", "--status", "--json").stdout)
    return document


def found(server: Omero) -> set[str]:
    """What searches find of the samples."""
    result: set[str] = set()
    for word in ("tif", "png", "sample", "image"):
        result.update(server.ok("search", word, "--ids-only", "--limit", "100").split())
    return result


def test_the_status_is_that_of_the_manual(searched: Omero) -> None:
    documents: list[dict[str, Any]] = []

    def agrees() -> bool:
        documents.append(status(searched))
        return bool(documents[-1]["up_to_date"]) and documents[-1]["percent"] == float(sql(searched, MANUAL))

    # The log grows as long as PixelData is at the samples.
    assert wait_until(agrees, timeout=60), documents[-1]
    document = documents[-1]
    assert (document["index"]["documents"] > 0, document["index"]["is_read"]) == (True, True)
    assert f"Percent indexed: {document['percent']:.2f}%" in searched.ok("admin", "reindex", "--status")


def test_the_documented_steps(searched: Omero) -> None:
    before = found(searched)
    assert before
    last = sql(searched, b"SELECT max(id) FROM eventlog")
    refused = searched.run("admin", "reindex", "--wipe", "--yes")
    assert (refused.returncode, "an indexer has" in refused.stderr) == (6, True)
    assert searched.run("admin", "reindex", "--reset", "0").returncode == 6
    searched.ok("admin", "reindex", "--prepare")
    searched.ok("admin", "reindex", "--prepare")
    assert status(searched)["servers"][0]["state"] == "inactive (disabled)"
    assert "would be removed" in searched.ok("admin", "reindex", "--wipe", "--dry-run")
    assert status(searched)["index"]["documents"] > 0
    searched.ok("admin", "reindex", "--wipe", "--yes")
    assert not status(searched)["index"]["exists"]
    assert searched.run("admin", "reindex", "--reset", str(last + 10_000)).returncode == 2
    assert searched.ok("admin", "reindex", "--reset", "1").startswith("Value reset to 1. Was ")
    assert searched.ok("admin", "reindex", "--reset", "0") == "Value reset to 0. Was 1\n"
    assert status(searched)["percent"] == float(sql(searched, MANUAL)) == 0
    searched.ok("admin", "reindex", "--finish")
    assert wait_until(lambda: found(searched) == before, timeout=60)


@pytest.mark.parametrize("verb", ["--full", "--events"])
def test_indexing_without_the_indexer(searched: Omero, verb: str) -> None:
    before = found(searched)
    assert searched.run("admin", "reindex", verb).returncode == 6
    counts = searched.json("admin", "reindex", verb, "--dryrun", "--json")["counts"]
    assert counts["Image"] > 0
    searched.ok("admin", "reindex", "--prepare")
    searched.ok("admin", "reindex", "--wipe", "--yes")
    assert int(searched.ok("admin", "reindex", verb).split()[0]) >= len(before)
    document = status(searched)
    assert (document["behind"], document["problems"]) == (0, [])
    searched.ok("admin", "reindex", "--finish")
    assert found(searched) == before


def test_some_types(searched: Omero) -> None:
    before = found(searched)
    searched.ok("admin", "reindex", "--prepare")
    unknown = searched.run("admin", "reindex", "--class", "Nothing")
    assert (unknown.returncode, "isn't indexed" in unknown.stderr) == (2, True)
    done = searched.json("admin", "reindex", "--class", "ome.model.core.Image", "Dataset", "--json")
    assert done["objects"] > 0
    searched.ok("admin", "reindex", "--finish")
    assert found(searched) == before


def test_all_at_once(searched: Omero) -> None:
    before = found(searched)
    plan = searched.ok("admin", "reindex", "--all", "--dry-run")
    assert [line[2:4] for line in plan.splitlines()[1:]] == ["1.", "2.", "3.", "4.", "5."]
    assert searched.run("admin", "reindex", "--all").returncode == 2
    document = searched.json("admin", "reindex", "--all", "--yes", "--json")
    assert (document["behind"], document["problems"]) == (0, [])
    assert found(searched) == before


@pytest.mark.parametrize(
    "arguments", [(), ("--all", "--wipe"), ("--prepare", "--dryrun"), ("Image",), ("--reset", "x"), ("--reset", "-1")]
)
def test_what_cannot_be_meant(server: Omero, arguments: tuple[str, ...]) -> None:
    done = server.run("admin", "reindex", *arguments)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_damaged_index_is_said_and_mended(searched: Omero) -> None:
    before = found(searched)
    searched.ok("admin", "reindex", "--prepare")
    store = max((searched.data / "FullText").glob("*.store"))
    content = bytearray(store.read_bytes())
    content[3] ^= 1
    store.write_bytes(content)
    assert searched.run("admin", "reindex", "--status").returncode == 1
    output = searched.ok("admin", "diagnostics", "--no-logs")
    assert f"DAMAGED: {store.name} isn't what was written" in output
    assert "omero admin reindex --all" in output
    document = searched.json("admin", "reindex", "--all", "--yes", "--json")
    assert document["problems"] == []
    assert found(searched) == before


def test_a_running_indexer_notices_damage(searched: Omero) -> None:
    before = found(searched)
    searched.ok("admin", "reindex", "--prepare")
    term = max((searched.data / "FullText").glob("*.term"))
    content = bytearray(term.read_bytes())
    content[len(content) // 2] ^= 64
    term.write_bytes(content)
    searched.run("admin", "reindex", "--finish")

    def is_given_up() -> bool:
        return "the index in" in searched.ok("admin", "diagnostics", "--no-logs")

    assert wait_until(is_given_up, timeout=30)
    document = searched.json("admin", "reindex", "--all", "--yes", "--json")
    assert document["problems"] == []
    assert found(searched) == before


def test_killed_at_any_moment(searched: Omero, tmp_path: Path) -> None:
    """kill -9 for ``--all``; the next run goes on, and everything is found again."""
    before = found(searched)
    chosen = random.Random(6)
    command = [sys.executable, "-m", "omeroadmin", "admin", "reindex", "--all", "--yes"]
    steps: set[str] = set()
    for _ in range(KILLS):
        with (tmp_path / "output").open("wb") as output:
            process = subprocess.Popen(
                command, env=searched.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            try:
                process.wait(chosen.uniform(0.3, 3.0))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
        left = status(searched)["unfinished"]
        steps.add(left or "none")
        if left is not None:
            assert f"interrupted at the step {left}" in searched.run("admin", "reindex", "--status").stderr
        if chosen.random() < 0.5:
            began = time.monotonic()
            document = searched.json("admin", "reindex", "--all", "--yes", "--json")
            assert (document["behind"], document["problems"], document["unfinished"]) == (0, [], None), left
            assert found(searched) == before
            assert time.monotonic() - began < 120
    searched.ok("admin", "reindex", "--all", "--yes")
    assert found(searched) == before
    print(f"killed at the steps {sorted(steps)}")
