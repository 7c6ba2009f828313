"""``omero admin jvmcfg``: the manual's examples to the character, why, and what it would be elsewhere."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.cli.views.memory import print_memory, print_memory_json, print_offers
from omeroadmin.memory.facts import MachineMemory
from omeroadmin.memory.outlook import MACHINES, offers, overcommitment, total_megabytes
from omeroadmin.memory.strategies import SERVICES, service_memory
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.memory import MemoryReport
from tests.support.omero import Omero

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "memory"
ONE_OF_EACH = {"master": {"blitz": 1, "indexer": 1, "pixeldata": 1}}


def report(values: dict[str, str], machine: MachineMemory, nodes: dict[str, dict[str, int]]) -> MemoryReport:
    services = service_memory(Settings(values), machine.megabytes)
    servers = {service: sum(counts.get(service, 0) for counts in nodes.values()) for service in SERVICES}
    warning = overcommitment(services, nodes, machine)
    return MemoryReport(machine, services, tuple(servers.items()), total_megabytes(services, servers), warning)


def read_example(path: Path) -> tuple[int, dict[str, str], str]:
    """Memory of the machine, the properties that were set, and what is printed."""
    lines = path.read_text().splitlines(keepends=True)
    words = [shlex.split(line[2:]) for line in lines if line.startswith("$ ")]
    values = {found[-2]: found[-1] for found in words}
    printed = "".join(line for line in lines[1:] if not line.startswith("$ "))
    return int(lines[0].split()[1]), values, printed


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.txt")), ids=lambda path: path.stem)
def test_the_examples(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/tmp")
    megabytes, values, printed = read_example(path)
    print_memory(report(values, MachineMemory(megabytes), {"master": {}}), explain=False)
    assert capsys.readouterr() == (printed, "")


def test_explanation(capsys: pytest.CaptureFixture[str]) -> None:
    values = {
        "omero.jvmcfg.percent.blitz": "50",
        "omero.jvmcfg.system_memory": "24000",
        "omero.jvmcfg.strategy.indexer": "manual",
        "omero.jvmcfg.heap_size.indexer": "2000",
        "omero.jvmcfg.strategy.pixeldata": "manual",
        "omero.jvmcfg.heap_dump.blitz": "on",
    }
    machine = MachineMemory(16000, 2000, Path("/sys/fs/cgroup/omero/memory.max"))
    nodes = {"master": {"blitz": 1, "indexer": 1, "pixeldata": 1}, "worker": {"pixeldata": 1}}
    print_memory(report(values, machine, nodes), explain=True)
    printed = capsys.readouterr()
    assert printed.out == (GOLDEN / "explain.out").read_text()
    assert printed.err.splitlines()[0] == (
        "omero: the heaps add up to 15753 MB (blitz 12000m, indexer 2000m, pixeldata 512m x 2), but the control "
        "group's limit is 2000 MB: servers that use what they are given will be killed if the nodes master, worker "
        "share it"
    )


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_offers(offers(Settings({"omero.jvmcfg.strategy.blitz": "manual", "omero.jvmcfg.system_memory": "1"})))
    assert capsys.readouterr().out == (GOLDEN / "table.out").read_text()


def test_the_table_takes_what_is_set_beyond_strategy_and_machine() -> None:
    found = {(one.strategy, one.gigabytes): dict(one.heaps) for one in offers(Settings({"omero.jvmcfg.percent": "50"}))}
    assert [gigabytes for strategy, gigabytes in found if strategy == "manual"] == list(MACHINES)
    assert found["percent", 8]["blitz"] == "4000m"
    assert found["manual", 8]["blitz"] == "512m"


@pytest.mark.parametrize(
    ("machine", "nodes", "words"),
    [
        (MachineMemory(16000), ONE_OF_EACH, None),
        (MachineMemory(500), ONE_OF_EACH, "add up to 1431 MB (blitz 512m, indexer 341m, pixeldata 512m), but this"),
        (MachineMemory(1400), ONE_OF_EACH, "this machine has 1400 MB"),
        (MachineMemory(1432), ONE_OF_EACH, None),
        (MachineMemory(900), {"master": {"blitz": 1}}, None),
        (MachineMemory(900), {"master": {"blitz": 1}, "b": {"blitz": 1}}, "blitz 512m x 2"),
    ],
)
def test_more_than_the_machine_has(machine: MachineMemory, nodes: dict[str, dict[str, int]], words: str | None) -> None:
    warning = report({}, machine, nodes).warning
    if words is None:
        assert warning is None
    else:
        assert warning is not None
        assert words in warning


def test_document(capsys: pytest.CaptureFixture[str]) -> None:
    found = report({"omero.jvmcfg.heap_size.blitz": "2g"}, MachineMemory(16000), ONE_OF_EACH)
    print_memory_json(found, None)
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "omeroadmin/jvmcfg/1"
    assert document["machine"] == {"megabytes": 16000, "physical": 16000, "limit": None, "limited_by": None}
    assert document["services"][0] == {
        "service": "blitz",
        "servers": 1,
        "heap": "2g",
        "heap_bytes": 2 * 2**30,
        "options": ["-Xmx2g"],
        "settings": {"heap_size": "2g"},
        "decided_by": "omero.jvmcfg.heap_size.blitz",
        "steps": [{"what": "heap size", "value": "2g", "why": "omero.jvmcfg.heap_size.blitz"}],
    }
    assert (document["total"], document["warning"]) == (6341, None)
    assert "table" not in document


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "OMERO.server" / "etc" / "grid").mkdir(parents=True)
    omero = Omero(tmp_path)
    omero.ok("config", "set", "omero.jvmcfg.system_memory", "900000000")
    omero.ok("config", "set", "omero.jvmcfg.max_system_memory", "900000000")
    omero.ok("config", "set", "omero.server.nodedescriptors", "master:Blitz-0,Blitz-1 worker:Processor-1")
    done = omero.run("admin", "jvmcfg")
    assert done.stdout.splitlines()[2] == (
        "blitz=-Xmx135000000m # Settings({'max_system_memory': '900000000', 'system_memory': '900000000'})"
    )
    assert "blitz 135000000m x 2" in done.stderr
    document = omero.json("admin", "jvmcfg", "--json", "--table")
    assert document["warning"] in done.stderr
    assert document["services"][0]["servers"] == 2
    assert len(document["table"]) == 2 * len(MACHINES)
    assert "(20 rows)" in omero.ok("admin", "jvmcfg", "--table")
    assert "decided by omero.jvmcfg.percent (its default)" in omero.ok("admin", "jvmcfg", "--explain")


def test_its_modules_are_light() -> None:
    program = "import omeroadmin.memory.facts, omeroadmin.workflows.memory, sys; print('psutil' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
