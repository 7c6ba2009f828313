"""``admin jvmcfg``: what the settings, the machine and the servers of the grid mean for memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from omeroadmin.grid.instances import plan_nodes
from omeroadmin.memory.facts import MachineMemory, machine_memory
from omeroadmin.memory.outlook import Offer, offers, overcommitment, total_megabytes
from omeroadmin.memory.strategies import SERVICES, ServiceMemory, service_memory
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings


@dataclass(frozen=True)
class MemoryReport:
    """The memory settings that the next start takes.

    :param machine: what there is
    :param services: what each service gets
    :param servers: how many servers of each service the grid has
    :param total: what the heaps of all these servers add up to, in units of 1,000,000 bytes
    :param warning: one line where that is more than there is
    """

    machine: MachineMemory
    services: tuple[ServiceMemory, ...]
    servers: tuple[tuple[str, int], ...]
    total: int
    warning: str | None


def memory_report(instance: Instance) -> MemoryReport:
    """What ``admin jvmcfg`` shows.

    :raises AdminError: ``setting-invalid``
    """
    settings = load_settings(instance)
    machine = machine_memory()
    services = service_memory(settings, machine.megabytes)
    nodes = _servers_by_node(settings)
    servers = {service: sum(counts[service] for counts in nodes.values()) for service in SERVICES}
    return MemoryReport(
        machine,
        services,
        tuple(servers.items()),
        total_megabytes(services, servers),
        overcommitment(services, nodes, machine),
    )


def memory_offers(instance: Instance) -> tuple[Offer, ...]:
    """What ``admin jvmcfg --table`` shows.

    :raises AdminError: ``setting-invalid``
    """
    return offers(load_settings(instance))


def _servers_by_node(settings: Settings) -> dict[str, Counter[str]]:
    """How many servers of each service every node has."""
    return {
        node.name: Counter(dict(server)["template"].removesuffix("Template").lower() for server in node.instances)
        for node in plan_nodes(settings, "", "")
    }
