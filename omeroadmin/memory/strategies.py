"""How much memory each service may take: the strategies of the manual's section "Memory configuration".

Every key may be given for all services (``omero.jvmcfg.percent``) or for one (``omero.jvmcfg.percent.blitz``).
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.memory.decision import Heap, Step, Value, megabytes_of_size
from omeroadmin.schema.settings import Settings

SERVICES: tuple[str, ...] = ("blitz", "indexer", "pixeldata", "repository")
"""Services with a heap of their own, sorted."""
STRATEGIES: tuple[str, ...] = ("percent", "manual")
"""How a heap may be sized."""

PREFIX = "omero.jvmcfg."
_PERCENT = {"blitz": 15, "pixeldata": 15, "indexer": 10, "repository": 10}
_MANUAL_HEAP = "512m"


@dataclass(frozen=True)
class ServiceMemory:
    """The memory settings of one service.

    :param service: e.g. ``blitz``
    :param heap: its size, and how that came about
    :param options: options of the process, ``-Xmx…`` first
    :param settings: what the active profile says about this service, by key without its prefix
    """

    service: str
    heap: Heap
    options: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]

    def describe(self) -> str:
        """The line of ``omero admin jvmcfg``."""
        line = f"{self.service}={' '.join(self.options)}"
        return f"{line} # Settings({dict(self.settings)})" if self.settings else line


def memory_options(settings: Settings, system_memory_megabytes: int) -> dict[str, tuple[str, ...]]:
    """Options for the command line of each service.

    :param system_memory_megabytes: what the machine has; ``omero.jvmcfg.system_memory`` wins over it
    :return: by service: blitz, indexer, pixeldata, repository
    :raises AdminError: ``setting-invalid``
    """
    return {memory.service: memory.options for memory in service_memory(settings, system_memory_megabytes)}


def service_memory(settings: Settings, system_memory_megabytes: int) -> tuple[ServiceMemory, ...]:
    """The memory settings of all services, sorted by name.

    :param system_memory_megabytes: what the machine has
    :raises AdminError: ``setting-invalid``
    """
    return tuple(_one_service(settings, service, system_memory_megabytes) for service in SERVICES)


def _one_service(settings: Settings, service: str, system_memory_megabytes: int) -> ServiceMemory:
    heap = _heap(settings, service, system_memory_megabytes)
    options = (f"-Xmx{heap.size}", *_heap_dump(settings, service), *_append(settings, service))
    return ServiceMemory(service, heap, options, tuple(_explicit(settings, service).items()))


def _heap(settings: Settings, service: str, system_memory_megabytes: int) -> Heap:
    given = _value(settings, "heap_size", service)
    if given.text:
        if megabytes_of_size(given.text) is None:
            raise _invalid(given, "a size such as 2000, 512m or 4g", "2g")
        # The manual gives megabytes without a unit; a process would take them for bytes.
        size = f"{given.text}m" if given.text.isdigit() else given.text
        return Heap(size, given, (Step("heap size", size, given.source),))
    strategy = _value(settings, "strategy", service)
    chosen = Step("strategy", strategy.text, strategy.source)
    match strategy.text:
        case "manual":
            why = f"the strategy's own, as {PREFIX}heap_size is empty"
            return Heap(_MANUAL_HEAP, strategy, (chosen, Step("heap size", _MANUAL_HEAP, why)))
        case "percent":
            return _share(settings, service, system_memory_megabytes, chosen)
    raise _invalid(strategy, "one of the strategies percent and manual", "percent")


def _share(settings: Settings, service: str, system_memory_megabytes: int, chosen: Step) -> Heap:
    """A share of the memory, which is seen within bounds."""
    seen = _value(settings, "system_memory", service)
    total = _megabytes(seen) if seen.text else system_memory_megabytes
    most, least = _value(settings, "max_system_memory", service), _value(settings, "min_system_memory", service)
    active = max(min(total, _megabytes(most)), _megabytes(least))
    percent = _percent(settings, service)
    size = f"{active * int(percent.text) // 100}m"
    return Heap(
        size,
        percent,
        (
            chosen,
            Step("system memory", f"{total} MB", seen.source if seen.text else "what the machine has"),
            Step("at most", f"{most.text} MB", most.source),
            Step("at least", f"{least.text} MB", least.source),
            Step("counted", f"{active} MB", f"{total} MB within these bounds"),
            Step("percent", percent.text, percent.source),
            Step("heap size", size, f"{active} MB * {percent.text} / 100, rounded down"),
        ),
    )


def _percent(settings: Settings, service: str) -> Value:
    given = _value(settings, "percent", service)
    if not given.text:
        return Value(given.name, str(_PERCENT[service]), f"the default of {service}, as {given.name} is empty")
    if not _is_number(given.text) or not 0 < int(given.text) <= 100:
        raise _invalid(given, "a whole number from 1 to 100", str(_PERCENT[service]))
    return Value(given.name, str(int(given.text)), given.source)


def _megabytes(value: Value) -> int:
    if not _is_number(value.text):
        raise _invalid(value, "a whole number of megabytes", "8000")
    return int(value.text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12


def _heap_dump(settings: Settings, service: str) -> tuple[str, ...]:
    value = _value(settings, "heap_dump", service)
    match value.text.lower():
        case "" | "off":
            return ()
        case "on" | "cwd":
            return ("-XX:+HeapDumpOnOutOfMemoryError",)
        case "tmp":
            return ("-XX:+HeapDumpOnOutOfMemoryError", f"-XX:HeapDumpPath={tempfile.gettempdir()}")
    raise _invalid(value, "one of on, off, cwd and tmp", "off")


def _append(settings: Settings, service: str) -> tuple[str, ...]:
    value = _value(settings, "append", service)
    try:
        return tuple(shlex.split(value.text))
    except ValueError:
        raise _invalid(value, "a list of options with closed quotes", "-- -XX:+UseG1GC") from None


def _value(settings: Settings, key: str, service: str) -> Value:
    """The property in force for a service."""
    own = f"{PREFIX}{key}.{service}"
    name = own if settings.is_set(own) else f"{PREFIX}{key}"
    return Value(name, settings.text(name).strip(), name if settings.is_set(name) else f"the default of {name}")


def _explicit(settings: Settings, service: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in settings.explicit().items():
        if not name.startswith(PREFIX):
            continue
        key, _, owner = name.removeprefix(PREFIX).partition(".")
        if owner == service or (not owner and key not in found):
            found[key] = value
    return dict(sorted(found.items()))


def _invalid(value: Value, wanted: str, example: str) -> AdminError:
    return configuration_error(
        "setting-invalid",
        f"{value.name} is {value.text!r}, which is not {wanted}",
        f"omero config set {value.name} {example}",
    )
