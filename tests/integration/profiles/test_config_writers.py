"""Several writers and readers at once: every acknowledged write is there, and every read is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from omeroadmin.profiles.store import read_profile, update_profile
from omeroadmin.system.clock import monotonic
from tests.support.profiles import config_file

WRITERS, ROUNDS = 4, 10
WRITER = """
import sys
from pathlib import Path
from omeroadmin.profiles.store import update_profile
for number in range(int(sys.argv[3])):
    update_profile(Path(sys.argv[1]), {f"writer.{sys.argv[2]}.{number}": "x" * number})
"""


def test_no_write_is_lost(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"first": "1"})
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(number), str(ROUNDS)])
        for number in range(WRITERS)
    ]
    deadline = monotonic() + 60
    while any(writer.poll() is None for writer in writers) and monotonic() < deadline:
        assert read_profile(file).values["first"] == "1"
    assert [writer.wait(timeout=10) for writer in writers] == [0] * WRITERS
    expected = {f"writer.{writer}.{number}": "x" * number for writer in range(WRITERS) for number in range(ROUNDS)}
    assert read_profile(file).values == {"first": "1", **expected}
