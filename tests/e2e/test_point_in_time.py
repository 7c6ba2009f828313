"""Images that were deleted at a known moment are back in a server of the moment before it, with their files."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from omeroadmin.database.physical.program import find_pgbackrest, reading
from omeroadmin.system.clock import wait_until
from tests.e2e.conftest import login
from tests.support.components import require_program
from tests.support.omero import Omero, free_prefix, install


def images(omero: Omero) -> dict[str, int]:
    """Names and ids of the images that root sees."""
    return {item["name"]: item["id"] for item in json.loads(omero.ok("fs", "images", "--style", "json"))["images"]}


@pytest.mark.timeout(900)
def test_what_was_deleted_is_back_just_before(samples: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("servers refuse to run as root; the unprivileged run of this suite covers this")
    require_program("pgbackrest")
    target = tmp_path / "target"
    omero = install(tmp_path / "first", free_prefix())
    # The second one starts when the first has ended: there are only so many ports for tests.
    second = Omero(tmp_path / "second", omero.prefix)
    second.home.mkdir()
    omero.ok("config", "set", "omero.backup.target", str(target))
    omero.ok("admin", "start")
    try:
        login(omero)
        files = sorted(path for path in samples.rglob("*") if path.suffix in (".png", ".tif", ".tiff"))[:3]
        omero.ok("import", str(files[0]))
        pending = omero.run("backup", "archive")
        assert (pending.returncode, "omero admin stop" in pending.stderr) == (8, True), pending
        waiting = omero.run("backup", "create", "--physical")
        assert (waiting.returncode, "omero admin stop" in waiting.stderr) == (3, True), waiting
        omero.ok("admin", "stop")
        omero.ok("admin", "start")
        login(omero)
        assert "nothing to do" in omero.ok("backup", "archive", "--dry-run")
        omero.ok("backup", "create", "--physical")
        with reading(find_pgbackrest(), target / "pgbackrest") as pgbackrest:
            stopped = pgbackrest.catalog().backups[-1].stopped
        omero.ok("import", str(files[1]))
        omero.ok("backup", "create")
        assert wait_until(lambda: time.time() > stopped + 1.1, timeout=10)
        expected = images(omero)
        moment = datetime.now(UTC).isoformat()
        omero.ok("delete", "--force", *(f"Image:{number}" for number in expected.values()))
        omero.ok("import", str(files[2]))
        assert not set(images(omero)) & set(expected)
        omero.ok("backup", "create", "--physical")
        omero.ok("admin", "stop")
        places = ("--into", str(second.omerodir), "--data-dir", str(second.data), "--ports-prefix", second.prefix)
        restored = omero.ok("backup", "restore", "--at", moment, *places, "--yes", "--start", timeout=300)
        assert "all as it was saved" in restored
        login(second)
        assert images(second) == expected
        checked = second.run("fs", "check", "--checksums", timeout=300)
        assert checked.returncode == 0, checked
        second.ok("import", str(files[2]))
    finally:
        second.run("admin", "stop")
        omero.run("admin", "stop")
