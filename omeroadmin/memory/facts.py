"""How much memory this machine, or the container that we live in, has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def system_memory_megabytes() -> int:
    """Memory of the machine or, where that is less, the limit of its control group; in units of 1,000,000 bytes."""
    import psutil

    total = psutil.virtual_memory().total
    limit = cgroup_limit(_CGROUPS, _own_cgroups())
    return (total if limit is None else min(total, limit)) // 1_000_000


def cgroup_limit(root: Path, own: str) -> int | None:
    """The tightest limit of a process's control group and the groups around it.

    :param root: where the control groups are mounted
    :param own: content of ``/proc/<pid>/cgroup``
    :return: bytes; ``None`` where there is no limit
    """
    limits = [limit for file in _limit_files(root, own) if (limit := _read_limit(file)) is not None]
    return min(limits, default=None)


def _limit_files(root: Path, own: str) -> Iterator[Path]:
    for line in own.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            yield from _upwards(root, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _upwards(root / "memory", path, "memory.limit_in_bytes")


def _upwards(mount: Path, path: str, name: str) -> Iterator[Path]:
    """The file in the group itself and in each group around it; inside a container only the mount may be visible."""
    group = Path(path.lstrip("/"))
    for part in (group, *group.parents):
        if ".." not in part.parts:
            yield mount / part / name


def _read_limit(file: Path) -> int | None:
    try:
        text = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return int(text) if text.isdigit() else None


def _own_cgroups() -> str:
    try:
        return _OWN_CGROUPS.read_text("utf-8")
    except OSError:
        return ""
