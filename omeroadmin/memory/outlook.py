"""What heaps add up to, and what the strategies would give on other machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from omeroadmin.memory.facts import MachineMemory
from omeroadmin.memory.strategies import PREFIX, SERVICES, STRATEGIES, ServiceMemory, service_memory
from omeroadmin.schema.settings import Settings

MACHINES: tuple[int, ...] = (4, 8, 16, 24, 32, 48, 64, 128, 256, 512)
"""Sizes of machines in GB, that is 1000 MB."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Offer:
    """What a strategy gives on a machine.

    :param strategy: ``percent`` or ``manual``
    :param gigabytes: of the machine
    :param heaps: sizes by service
    """

    strategy: str
    gigabytes: int
    heaps: tuple[tuple[str, str], ...]


def offers(settings: Settings) -> tuple[Offer, ...]:
    """What each strategy gives on machines of all sizes, with everything else as it is set.

    :raises AdminError: ``setting-invalid``
    """
    return tuple(_offer(settings, strategy, machine) for strategy in STRATEGIES for machine in MACHINES)


def _offer(settings: Settings, strategy: str, gigabytes: int) -> Offer:
    endings = ("", *(f".{service}" for service in SERVICES))
    left_out = {f"{PREFIX}{key}{ending}" for key in ("strategy", "system_memory") for ending in endings}
    values = {name: value for name, value in settings.explicit().items() if name not in left_out}
    services = service_memory(Settings({**values, f"{PREFIX}strategy": strategy}), gigabytes * 1000)
    return Offer(strategy, gigabytes, tuple((memory.service, memory.heap.size) for memory in services))


def total_megabytes(services: tuple[ServiceMemory, ...], servers: Mapping[str, int]) -> int:
    """What the heaps of some servers add up to, in units of 1,000,000 bytes.

    :param servers: how many servers there are of each service
    """
    return sum(memory.heap.bytes * servers.get(memory.service, 0) for memory in services) // _MEGABYTE


def overcommitment(
    services: tuple[ServiceMemory, ...], nodes: Mapping[str, Mapping[str, int]], machine: MachineMemory
) -> str | None:
    """A warning where heaps add up to more than the machine has.

    :param nodes: how many servers of each service run on each node
    :return: one line; ``None`` where they fit
    """
    servers = {service: sum(counts.get(service, 0) for counts in nodes.values()) for service in SERVICES}
    total = total_megabytes(services, servers)
    if total <= machine.megabytes:
        return None
    parts = [
        f"{memory.service} {memory.heap.size}{f' x {count}' if count > 1 else ''}"
        for memory in services
        if (count := servers[memory.service])
    ]
    has = "this machine has" if machine.limit is None else "the control group's limit is"
    where = f" if the nodes {', '.join(nodes)} share it" if len(nodes) > 1 else ""
    return (
        f"the heaps add up to {total} MB ({', '.join(parts)}), but {has} {machine.megabytes} MB: "
        f"servers that use what they are given will be killed{where}"
    )
