"""Makes the snapshot that later versions must be able to read: ``tests/golden/snapshot-1.tar.xz``.

Run it once for each format of snapshots, with the version that writes it, and never again:
``python -m tests.support.snapshot_fixture tests/golden/snapshot-1.tar.xz``.
"""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
from pathlib import Path

from omeroadmin.database.connection import connect
from omeroadmin.profiles.store import update_profile
from omeroadmin.repository.layout import write_repository_uuid
from omeroadmin.workflows.backup import BackupWish, create_backup
from tests.support.backup import REPOSITORY_UUID, Seeded
from tests.support.database import running_database

FILES = {
    "root_0/2026-11/28/plain.tif": b"an image\n",
    "root_0/2026-11/28/Gr\u00f6\u00dfe \u00b5m.ome.tif": b"another image\n",
    "root_0/2026-11/28/empty.dat": b"",
    "root_0/same.txt": b"an image\n",
}
"""What the managed repository held."""
MODIFIED_NS = 1_764_000_000_123_456_789
"""When all of it was written."""


def main(archive: Path) -> None:
    """Make an instance, back it up, and pack the target."""
    with tempfile.TemporaryDirectory() as name, running_database(Path(name)) as database:
        seeded = Seeded(database)
        update_profile(database.instance.config_xml, database.settings.explicit())
        with connect(database.address) as connection:
            row = connection.execute("SELECT value FROM configuration WHERE name = 'omero.db.uuid'").fetchone()
        write_repository_uuid(seeded.managed, str(row[0] if row else ""), REPOSITORY_UUID)
        for path, content in FILES.items():
            directory, _, base = path.rpartition("/")
            seeded.add_file(f"{directory}/", base, content)
        seeded.insert_pixels(1)
        pixels = seeded.data / "Pixels" / "1"
        pixels.parent.mkdir(exist_ok=True)
        pixels.write_bytes(bytes(100))
        (seeded.data / "Pixels" / "dangling").symlink_to("nowhere")
        for file in (*seeded.managed.rglob("*"), pixels):
            os.utime(file, ns=(MODIFIED_NS, MODIFIED_NS))
        target = Path(name) / "target"
        snapshot = create_backup(BackupWish(database.instance, database.settings, target, tag="fixture"))
        if not snapshot.consistent:
            raise SystemExit(str(snapshot.faults))
        with tarfile.open(archive, "w:xz", preset=9) as packed:
            packed.add(target, "target")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
