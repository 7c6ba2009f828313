"""How much memory each service may take: the strategies of the manual's section "Memory configuration".

Every key may be given for all services (``omero.jvmcfg.percent``) or for one (``omero.jvmcfg.percent.blitz``).
"""

from __future__ import annotations

import re
import shlex
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.settings import Settings

SERVICES: tuple[str, ...] = ("blitz", "indexer", "pixeldata", "repository")
"""Services with a heap of their own, sorted."""

_PREFIX = "omero.jvmcfg."
_PERCENT = {"blitz": 15, "pixeldata": 15, "indexer": 10, "repository": 10}
_MANUAL_HEAP = "512m"
_HEAP_SIZE = re.compile(r"(\d+)([kKmMgGtT]?)")


@dataclass(frozen=True)
class ServiceMemory:
    """The memory settings of one service.

    :param service: e.g. ``blitz``
    :param options: options of the process, ``-Xmx…`` first
    :param settings: what the active profile says about this service, by key without its prefix
    """

    service: str
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
    heap = f"-Xmx{_heap_size(settings, service, system_memory_megabytes)}"
    options = (heap, *_heap_dump(settings, service), *_append(settings, service))
    return ServiceMemory(service, options, tuple(_explicit(settings, service).items()))


def _heap_size(settings: Settings, service: str, system_memory_megabytes: int) -> str:
    name, text = _value(settings, "heap_size", service)
    if text:
        match = _HEAP_SIZE.fullmatch(text)
        if match is None:
            raise _invalid(name, text, "a size such as 2000, 512m or 4g", "2g")
        # The manual gives megabytes without a unit; a process would take them for bytes.
        return f"{match[1]}{match[2].lower() or 'm'}"
    name, strategy = _value(settings, "strategy", service)
    match strategy:
        case "manual":
            return _MANUAL_HEAP
        case "percent":
            active = _active_memory(settings, service, system_memory_megabytes)
            return f"{active * _percent(settings, service) // 100}m"
    raise _invalid(name, strategy, "one of the strategies percent and manual", "percent")


def _percent(settings: Settings, service: str) -> int:
    name, text = _value(settings, "percent", service)
    if not text:
        return _PERCENT[service]
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= 100:
        raise _invalid(name, text, "a whole number from 1 to 100", str(_PERCENT[service]))
    return int(text)


def _active_memory(settings: Settings, service: str, system_memory_megabytes: int) -> int:
    name, text = _value(settings, "system_memory", service)
    total = _megabytes(name, text) if text else system_memory_megabytes
    lowest = _megabytes(*_value(settings, "min_system_memory", service))
    highest = _megabytes(*_value(settings, "max_system_memory", service))
    return max(min(total, highest), lowest)


def _megabytes(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise _invalid(name, text, "a whole number of megabytes", "8000")
    return int(text)


def _heap_dump(settings: Settings, service: str) -> tuple[str, ...]:
    name, text = _value(settings, "heap_dump", service)
    match text.lower():
        case "" | "off":
            return ()
        case "on" | "cwd":
            return ("-XX:+HeapDumpOnOutOfMemoryError",)
        case "tmp":
            return ("-XX:+HeapDumpOnOutOfMemoryError", f"-XX:HeapDumpPath={tempfile.gettempdir()}")
    raise _invalid(name, text, "one of on, off, cwd and tmp", "off")


def _append(settings: Settings, service: str) -> tuple[str, ...]:
    name, text = _value(settings, "append", service)
    try:
        return tuple(shlex.split(text))
    except ValueError:
        raise _invalid(name, text, "a list of options with closed quotes", "-- -XX:+UseG1GC") from None


def _value(settings: Settings, key: str, service: str) -> tuple[str, str]:
    """Name and value of the property in force for a service."""
    own = f"{_PREFIX}{key}.{service}"
    name = own if settings.is_set(own) else f"{_PREFIX}{key}"
    return name, settings.text(name).strip()


def _explicit(settings: Settings, service: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, value in settings.explicit().items():
        if not name.startswith(_PREFIX):
            continue
        key, _, owner = name.removeprefix(_PREFIX).partition(".")
        if owner == service or (not owner and key not in found):
            found[key] = value
    return dict(sorted(found.items()))


def _invalid(name: str, value: str, wanted: str, example: str) -> AdminError:
    return configuration_error(
        "setting-invalid", f"{name} is {value!r}, which is not {wanted}", f"omero config set {name} {example}"
    )
