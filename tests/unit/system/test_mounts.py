"""What is mounted, and what should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.system import mounts

MOUNTED = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 254:16 / /data\\040disk rw,relatime - ext4 /dev/vdb rw
"""
WANTED = """\
# file systems
/dev/vda / ext4 defaults 0 1
/dev/vdb /data\\040disk ext4 defaults 0 2
/dev/vdc /OMERO xfs defaults 0 2
/dev/vdd /archive xfs defaults,noauto 0 2
UUID=1 none swap sw 0 0
short
"""


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Path]:
    """Both tables as the system has them."""
    (tmp_path / "fstab").write_text(WANTED)
    (tmp_path / "mountinfo").write_text(MOUNTED)
    return {"wanted": tmp_path / "fstab", "mounted": tmp_path / "mountinfo"}


def test_mount_points(tables: dict[str, Path]) -> None:
    assert mounts.mount_points(tables["mounted"]) == {Path("/"), Path("/data disk")}


@pytest.mark.parametrize(
    ("directory", "expected"),
    [
        ("/OMERO", "/OMERO"),
        ("/OMERO/ManagedRepository", "/OMERO"),
        ("/OMEROS", None),
        ("/data disk/OMERO", None),
        ("/archive/OMERO", None),
        ("/srv/OMERO", None),
    ],
)
def test_unmounted(tables: dict[str, Path], directory: str, expected: str | None) -> None:
    found = mounts.unmounted(Path(directory), **tables)
    assert found == (None if expected is None else Path(expected))


def test_systems_without_these_tables_say_nothing(tmp_path: Path, tables: dict[str, Path]) -> None:
    assert mounts.unmounted(Path("/OMERO"), tables["wanted"], tmp_path / "none") is None
    assert mounts.unmounted(Path("/OMERO"), tmp_path / "none", tables["mounted"]) is None


def test_the_real_tables_are_read() -> None:
    assert Path("/proc") in mounts.mount_points()
    assert Path("/proc") in mounts.mounts_below(Path("/"))
    assert mounts.mounts_below(Path("/proc/self/nothing")) == ()
