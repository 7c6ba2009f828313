"""A backup that is interrupted ends at once, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.backup import seeded_instance
from tests.support.omero import Omero


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_in_the_middle_of_a_large_file(tmp_path: Path, number: signal.Signals) -> None:
    target = tmp_path / "target"
    with seeded_instance(tmp_path) as seeded:
        with (seeded.managed / "large.tif").open("wb") as stream:
            stream.truncate(200 << 20)
        words = ["backup", "create", "--target", str(target), "--limit", "1"]
        with subprocess.Popen(
            [sys.executable, "-m", "omeroadmin", *words],
            env=Omero(seeded.omerodir.parent).environment,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            partial = target / "partial"
            large = 1 << 20
            assert wait_until(
                lambda: partial.is_dir() and any(path.stat().st_size > large for path in partial.iterdir()), timeout=60
            )
            process.send_signal(number)
            # The file would take more than three minutes.
            _, words_of_it = process.communicate(timeout=60)
        assert process.returncode == 130, words_of_it
        assert words_of_it == "Interrupted: omero backup create; no snapshot was taken; run it again\n"
        assert list(partial.iterdir()) == []
        assert list((target / "snapshots").iterdir()) == []
