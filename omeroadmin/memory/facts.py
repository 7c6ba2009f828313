"""How much memory this machine, or the container that we live in, has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class CgroupLimit:
    """The memory that a control group may use.

    :param limit_bytes: more than that and the kernel ends a process
    :param file: where the limit stands
    """

    limit_bytes: int
    file: Path


@dataclass(frozen=True)
class MachineMemory:
    """What there is for the servers.

    :param physical: memory of the machine, in units of 1,000,000 bytes
    :param limit: of the control group, in the same unit; ``None`` where it is no less than the machine's
    :param limited_by: file with that limit
    """

    physical: int
    limit: int | None = None
    limited_by: Path | None = None

    @property
    def megabytes(self) -> int:
        """What counts, in units of 1,000,000 bytes."""
        return self.physical if self.limit is None else self.limit


def machine_memory() -> MachineMemory:
    """Memory of the machine, and the limit of our control group where that is less."""
    import psutil

    total = psutil.virtual_memory().total
    tightest = tightest_limit(_CGROUPS, _own_cgroups())
    if tightest is None or tightest.limit_bytes >= total:
        return MachineMemory(total // _MEGABYTE)
    return MachineMemory(total // _MEGABYTE, tightest.limit_bytes // _MEGABYTE, tightest.file)


def system_memory_megabytes() -> int:
    """Memory of the machine or, where that is less, the limit of its control group; in units of 1,000,000 bytes."""
    return machine_memory().megabytes


def tightest_limit(root: Path, own: str) -> CgroupLimit | None:
    """The tightest limit of a process's control group and the groups around it.

    :param root: where the control groups are mounted
    :param own: content of ``/proc/<pid>/cgroup``
    :return: ``None`` where there is no limit
    """
    limits = [CgroupLimit(limit, file) for file in _limit_files(root, own) if (limit := _read_limit(file)) is not None]
    return min(limits, key=lambda limit: limit.limit_bytes, default=None)


def _limit_files(root: Path, own: str) -> Iterator[Path]:
    for line in own.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            yield from _upwards(root, path, "memory.max")
            # Where version 1 has the controllers, version 2 has a mount of its own beside them.
            yield from _upwards(root / "unified", path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _upwards(root / "memory", path, "memory.limit_in_bytes")


def _upwards(mount: Path, path: str, name: str) -> Iterator[Path]:
    """The file in the group itself and in each group around it; inside a container only the mount may be visible."""
    group = Path(path.lstrip("/"))
    for part in (group, *group.parents):
        if ".." not in part.parts:
            yield mount / part / name


def _read_limit(file: Path) -> int | None:
    """A limit in bytes; ``None`` for ``max`` and where there is no such file."""
    try:
        text = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() else None


def _own_cgroups() -> str:
    try:
        return _OWN_CGROUPS.read_text("utf-8", "replace")
    except OSError:
        return ""
