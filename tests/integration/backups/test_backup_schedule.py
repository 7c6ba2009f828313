"""The files of a schedule are what systemd and the shell take them for, and their commands work."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from omeroadmin.backups.schedule import Schedule, ScheduleKind, plan_schedule
from omeroadmin.errors import AdminError
from omeroadmin.steps.kinds import WriteFile
from tests.support.backup import Seeded, source  # noqa: F401 - a fixture
from tests.support.components import require_program
from tests.support.omero import Omero

ODD = ("/opt/a b", "/opt/50%", "/opt/$HOME", '/opt/it\'s "quoted"', "/opt/back\\slash", "/opt/ü", "/opt/-x;y&z")


def files(schedule: Schedule, directory: Path) -> dict[str, str]:
    """What would be written, by name."""
    return {
        step.path.name: step.content.decode()
        for step in plan_schedule(schedule, directory)
        if isinstance(step, WriteFile)
    }


@pytest.fixture
def omero(source: Seeded) -> Omero:  # noqa: F811 - the fixture
    """The command line with an instance."""
    return Omero(source.omerodir.parent)


def test_units_are_what_systemd_takes(omero: Omero, tmp_path: Path) -> None:
    analyse = require_program("systemd-analyze")
    target = tmp_path / "a target with blanks"
    words = ["backup", "schedule", "systemd", "--target", str(target), "--into", str(tmp_path), "--at", "02:15"]
    more = ["--keep-daily", "7", "--keep-tag", "before upgrade", "--verify"]
    dry = omero.ok(*words, *more, "--dry-run")
    assert "OnCalendar=*-*-* 02:15:00" in dry
    assert not (tmp_path / "omero-backup.timer").exists()
    assert "systemctl" in omero.ok(*words, *more, "--yes")
    assert "nothing to do" in omero.ok(*words, *more, "--yes")
    done = subprocess.run(
        [analyse, "verify", "--man=no", "omero-backup.service", "omero-backup.timer"],
        cwd=tmp_path, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    # These tests run as nobody, of whom systemd thinks little.
    lines = [line for line in done.stderr.splitlines() if "Special user nobody" not in line]
    complaints = [line for line in lines if "omero-backup" in line]
    assert (complaints, done.returncode) == ([], 0), done
    text = (tmp_path / "omero-backup.service").read_text()
    commands = [
        shlex.split(line.removeprefix("ExecStart=")) for line in text.splitlines() if line.startswith("ExecStart")
    ]
    assert [command[2] for command in commands] == ["create", "verify", "prune"]
    assert commands[2][-4:] == ["--keep-daily=7", "--keep-tag=before upgrade", "--target", str(target)]


def test_the_script_for_cron_runs_in_silence(omero: Omero, tmp_path: Path) -> None:
    target = tmp_path / "it's a target"
    words = ["backup", "schedule", "cron", "--target", str(target), "--into", str(tmp_path), "--jitter", "0"]
    omero.ok(*words, "--keep-last", "2", "--yes")
    script = tmp_path / "omero-backup"
    assert stat.S_IMODE(script.stat().st_mode) == 0o755
    subprocess.run([require_program("shellcheck"), script], check=True)
    for number in (1, 2, 3):
        done = subprocess.run([script], env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        listed = omero.json("backup", "list", "--target", str(target), "--json")["snapshots"]
        assert len(listed) == min(number, 2)


@pytest.mark.parametrize("odd", ODD)
def test_odd_names_stand_for_themselves(odd: str, tmp_path: Path) -> None:
    commands = ((odd, "backup", odd),)
    service = files(Schedule(ScheduleKind.SYSTEMD, Path(odd), "omero", commands), tmp_path)["omero-backup.service"]
    [command] = re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)
    # systemd's own quoting is the shell's, but for specifiers and variables.
    assert shlex.split(command.replace("%%", "%").replace("$$", "\\$")) == [odd, "backup", odd]
    script = files(Schedule(ScheduleKind.CRON, Path(odd), "omero", commands, jitter=0), tmp_path)["omero-backup"]
    shown = (
        script[: script.index("run() {")] + 'run() { printf \'%s\\n\' "$OMERODIR" "$@"; }\n' + script.rpartition("}")[2]
    )
    done = subprocess.run(["sh", "-c", shown], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [odd, odd, "backup", odd]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"at": "25:00"}, "time of day"),
        ({"at": "1:30\nX=1"}, "time of day"),
        ({"user": "root; rm"}, "name of a user"),
        ({"omerodir": Path("/opt/a\nExecStart=/bin/evil")}, "line by line"),
        ({"commands": (("a\nb",),)}, "line by line"),
        ({"mounts": (Path("/OMERO\nExecStart=/bin/evil"),)}, "line by line"),
    ],
)
def test_what_would_break_out_is_refused(values: dict[str, object], words: str, tmp_path: Path) -> None:
    usual: dict[str, object] = {
        "kind": ScheduleKind.SYSTEMD,
        "omerodir": Path("/opt"),
        "user": "omero",
        "commands": (("omero",),),
        "at": "01:30",
    }
    with pytest.raises(AdminError, match=words):
        plan_schedule(Schedule(**{**usual, **values}), tmp_path)  # type: ignore[arg-type] # values of the table


def test_bad_input(omero: Omero, tmp_path: Path) -> None:
    target = ["--target", str(tmp_path / "t")]
    missing = omero.run("backup", "schedule", "systemd", *target, "--into", str(tmp_path / "nowhere"), "--yes")
    assert (missing.returncode, missing.stdout) == (3, "")
    assert omero.run("backup", "schedule", "systemd", *target, "--at", "noon", "--into", str(tmp_path)).returncode == 2
    assert omero.run("backup", "schedule", "systemd", "--into", str(tmp_path)).returncode == 3
    assert omero.run("backup", "schedule", "cron", *target, "--at", "02:00", "--into", str(tmp_path)).returncode == 2
    stranger = omero.run("backup", "schedule", "cron", *target, "--user", "nosuch", "--into", str(tmp_path))
    assert stranger.returncode == 2
    assert "nosuch" in stranger.stderr
    assert list(tmp_path.iterdir()) == []
