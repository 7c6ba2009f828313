"""The memory of machine and container."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from omeroadmin.memory.facts import machine_memory, system_memory_megabytes, tightest_limit


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_this_machine() -> None:
    assert 0 < system_memory_megabytes() <= psutil.virtual_memory().total // 1_000_000
    found = machine_memory()
    assert found.physical == psutil.virtual_memory().total // 1_000_000
    assert (found.limit is None) == (found.limited_by is None)


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "5000\n"}, 5000),
        ("0::/a/b\n", {"a/b/memory.max": "4000\n", "a/memory.max": "5000\n"}, 4000),
        ("0::/\n", {"memory.max": "7000\n"}, 7000),
        ("0::/a\n", {"a/memory.max": "max\n"}, None),
        ("0::/../elsewhere\n", {"memory.max": "7000\n"}, 7000),
        ("5:cpu,cpuacct:/\n4:memory:/x\n0::/\n", {"memory/x/memory.limit_in_bytes": "6000"}, 6000),
        # In a container, the path of the group is often not visible, but its own mount is.
        ("4:memory:/docker/123\n", {"memory/memory.limit_in_bytes": "6500"}, 6500),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "rubbish"}, None),
        ("", {}, None),
        ("0::/a\n", {"a/memory.max": "0\n"}, 0),
        # Version 1 says "no limit" with the largest number of pages.
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, 9223372036854771712),
        ("4:memory:/x/y\n", {"memory/x/memory.limit_in_bytes": "5000", "memory/memory.limit_in_bytes": "6000"}, 5000),
        ("4:memory:/\n0::/a/b\n", {"unified/a/memory.max": "3000", "memory/memory.limit_in_bytes": "4000"}, 3000),
        ("not:what\n0::/a\nit should be\n", {"a/memory.max": "3000"}, 3000),
    ],
)
def test_control_groups(tmp_path: Path, own: str, files: dict[str, str], limit: int | None) -> None:
    for name, text in files.items():
        write(tmp_path / name, text)
    found = tightest_limit(tmp_path, own)
    assert (None if found is None else found.limit_bytes) == limit
