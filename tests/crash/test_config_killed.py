"""kill -9 in the middle of writes: config.xml is whole, holds what was acknowledged, and the next writer can write."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from omeroadmin.profiles.store import read_profile, update_profile
from omeroadmin.system.clock import wait_until
from tests.support.profiles import config_file

ROUNDS = 30
WRITER = """
import sys
from pathlib import Path
from omeroadmin.profiles.store import update_profile
number = int(sys.argv[2])
while True:
    number += 1
    update_profile(Path(sys.argv[1]), {"count": str(number), "copy": str(number) * 500})
    print(number, flush=True)
"""


def write_until_killed(file: Path, acknowledged: Path, enough: int) -> int:
    """Let a writer write until it has told enough, kill it, and give the last number that it told."""
    with acknowledged.open("w") as output:
        arguments = [sys.executable, "-c", WRITER, str(file), read_profile(file).values["count"]]
        writer = subprocess.Popen(arguments, stdout=output)
    try:
        assert wait_until(lambda: acknowledged.stat().st_size >= enough, timeout=20, first_pause=0.001)
    finally:
        writer.kill()
        writer.wait(timeout=10)
    return int(acknowledged.read_text().split()[-1])


def test_killed_writers(tmp_path: Path) -> None:
    chance = random.Random(5)
    file = config_file(tmp_path)
    update_profile(file, {"count": "0", "copy": "0" * 500, "kept": "as it was"})
    for _ in range(ROUNDS):
        said = write_until_killed(file, tmp_path / "acknowledged", enough=chance.randint(1, 400))
        values = read_profile(file).values
        # The last write may have been done and not yet told.
        assert int(values["count"]) in (said, said + 1)
        assert values == {"count": values["count"], "copy": values["count"] * 500, "kept": "as it was"}
        assert file.stat().st_mode & 0o777 == 0o600
    update_profile(file, {"count": "-1"})
    assert sorted(path.name for path in file.parent.iterdir()) == ["config.xml", "config.xml.lock"]
