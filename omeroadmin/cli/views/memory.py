"""Shows how much memory each service gets, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omeroadmin.cli.output import Style, print_json, print_lines, print_table, say
from omeroadmin.memory.facts import MachineMemory
from omeroadmin.memory.outlook import Offer
from omeroadmin.memory.strategies import SERVICES, ServiceMemory
from omeroadmin.workflows.memory import MemoryReport


def print_memory(report: MemoryReport, *, explain: bool) -> None:
    """The memory settings of all services, in OMERO's own form.

    :param explain: say how each came about, too
    """
    _warn(report)
    lines = ["JVM Settings:", "============", *(service.describe() for service in report.services)]
    if explain:
        servers = dict(report.servers)
        lines += ["", f"Machine: {_describe(report.machine)}"]
        for service in report.services:
            lines += ["", *_explained(service, servers[service.service])]
        lines += ["", f"All heaps of the grid: {report.total} MB of {report.machine.megabytes} MB"]
    print_lines(*lines)


def print_offers(offers: Sequence[Offer]) -> None:
    """What each strategy gives on machines of all sizes."""
    rows = [[offer.strategy, f"{offer.gigabytes} GB", *dict(offer.heaps).values()] for offer in offers]
    print_table("jvmcfg", ["strategy", "memory", *SERVICES], rows, Style.SQL)


def print_memory_json(report: MemoryReport, offers: Sequence[Offer] | None) -> None:
    """The document ``omeroadmin/jvmcfg/1``.

    :param offers: what the strategies give elsewhere; ``None`` where nobody asked
    """
    _warn(report)
    servers = dict(report.servers)
    machine = report.machine
    document: dict[str, Any] = {
        "machine": {
            "megabytes": machine.megabytes,
            "physical": machine.physical,
            "limit": machine.limit,
            "limited_by": machine.limited_by,
        },
        "services": [_service(service, servers[service.service]) for service in report.services],
        "total": report.total,
        "warning": report.warning,
    }
    if offers is not None:
        document["table"] = [
            {"strategy": offer.strategy, "gigabytes": offer.gigabytes, "heaps": dict(offer.heaps)} for offer in offers
        ]
    print_json("jvmcfg", document)


def _warn(report: MemoryReport) -> None:
    if report.warning:
        say(f"omero: {report.warning}")
        say("  -> omero admin jvmcfg --explain; less for some: omero config set omero.jvmcfg.percent.blitz 10")


def _service(service: ServiceMemory, servers: int) -> dict[str, Any]:
    return {
        "service": service.service,
        "servers": servers,
        "heap": service.heap.size,
        "heap_bytes": service.heap.bytes,
        "options": service.options,
        "settings": dict(service.settings),
        "decided_by": service.heap.decided_by.name,
        "steps": service.heap.steps,
    }


def _explained(service: ServiceMemory, servers: int) -> list[str]:
    width = max(len(step.what) for step in service.heap.steps)
    values = max(len(step.value) for step in service.heap.steps)
    count = "no server of the grid" if not servers else f"{servers} server{'' if servers == 1 else 's'}"
    decided = service.heap.decided_by
    return [
        f"{service.service}: {service.heap.size}, {count}; decided by {decided.name} ({_origin(decided.source)})",
        *(f"  {step.what.ljust(width)}  {step.value.ljust(values)}  {step.why}" for step in service.heap.steps),
        *(f"  {'option'.ljust(width)}  {option}" for option in service.options[1:]),
    ]


def _origin(source: str) -> str:
    return "its default" if source.startswith("the default") else "set"


def _describe(machine: MachineMemory) -> str:
    if machine.limit is None:
        return f"{machine.physical} MB"
    return f"{machine.limit} MB, the limit in {machine.limited_by}; the hardware has {machine.physical} MB"
