"""`omero config …` as a process: what it prints and its status."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.profiles.store import read_profile, update_profile
from tests.support.profiles import config_file, omero

PROPERTIES = {
    "omero.web.apps": '["figure"]',
    "accent": "é",
    "omero.db.pass": "s3cret",
    "omero.ldap.password": "",
    "omero.db.host": "here",
    "example": "two\nlines",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml with some properties."""
    file = config_file(tmp_path)
    update_profile(file, PROPERTIES, profile="default")
    return file


def test_get_prints_as_omeros_own_does(file: Path) -> None:
    assert omero(file, "config", "get", "omero.db.pass").stdout == "s3cret\n"
    assert omero(file, "config", "get").stdout == (
        "accent=é\nexample=two\nlines\nomero.db.host=here\nomero.db.pass=********\nomero.ldap.password=\n"
        'omero.web.apps=["figure"]\n'
    )
    several = omero(file, "config", "get", "omero.db.pass", "omero.db.host", "never.set", "--show-password")
    assert several.stdout == "omero.db.host=here\nomero.db.pass=s3cret\n"


def test_a_reader_that_leaves_early_is_no_failure(file: Path) -> None:
    done = omero(file, program="import os, sys\nfrom omeroadmin.cli.quick import run\nread, write = os.pipe()\n"
                 "os.dup2(write, 1)\nos.close(write)\nos.close(read)\nsys.exit(run(['config', 'get']))")  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_set_change_report_and_remove(file: Path) -> None:
    assert omero(file, "config", "set", "omero.db.name", "x").stdout == ""
    assert omero(file, "config", "set", "omero.db.name", "y", "--report").stdout == "Changed: Set omero.db.name:y\n"
    assert omero(file, "config", "set", "omero.db.name", "y", "--report").stdout == ""
    assert omero(file, "config", "set", "omero.db.pass", "n3w", "--report").stdout == (
        "Changed: Set omero.db.pass:********\n"
    )
    assert omero(file, "config", "set", "omero.db.name", "--report").stdout == "Changed: Removed omero.db.name\n"
    assert omero(file, "config", "set", "omero.web.wsgi_args", "--", "--log-level=DEBUG").returncode == 0
    values = read_profile(file, "default").values
    assert "omero.db.name" not in values
    assert values["omero.web.wsgi_args"] == "--log-level=DEBUG"


def test_set_from_a_file_and_stdin(file: Path, tmp_path: Path) -> None:
    (tmp_path / "value").write_text('["a",\n "b"]\n\n')
    assert omero(file, "config", "set", "-f", str(tmp_path / "value"), "omero.web.apps").returncode == 0
    assert omero(file, "config", "set", "omero.db.pass", "--file", "-", input_text="from stdin\n").returncode == 0
    values = read_profile(file, "default").values
    assert (values["omero.web.apps"], values["omero.db.pass"]) == ('["a",\n "b"]', "from stdin")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("set", "omero.db host", "x"), 2, ("omero.db host",)),
        (("set", "omero.db host"), 2, ("omero.db host",)),
        (("set", "omero.db.port", "many"), 2, ("omero.db.port", "'many'", "--force")),
        (("set", "omero.db.host", "x", "-f", "-"), 2, ("--file",)),
        (("set", "omero.db.host", "-f", "/nowhere/at/all"), 3, ("/nowhere/at/all",)),
        (("set",), 2, ("KEY",)),
        (("set", "omero.db.host", "x", "y"), 2, ("y",)),
        (("def", "two words"), 2, ("two words",)),
        (("load", "-"), 3, ("omero.db.host", "stdin:2")),
        (("load", "/nowhere/at/all"), 3, ("/nowhere/at/all",)),
    ],
)
def test_bad_input_is_said_and_changes_nothing(
    file: Path, arguments: tuple[str, ...], status: int, words: tuple[str, ...]
) -> None:
    before = file.read_bytes()
    done = omero(file, "config", *arguments, input_text="new=1\nomero.db.host=there\n")
    assert (done.returncode, done.stdout) == (status, "")
    lines = done.stderr.splitlines()
    assert 1 <= len(lines) <= 2
    assert lines[0].startswith("omero: ")
    for word in words:
        assert word in done.stderr
    assert file.read_bytes() == before


def test_force_and_warning(file: Path) -> None:
    assert omero(file, "config", "set", "omero.db.port", "many", "--force").returncode == 0
    done = omero(file, "config", "set", "omero.db.hots", "x")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("WARNING: omero.db.hots is not a property")
    assert "omero.db.host" in done.stderr
    assert omero(file, "config", "set", "example", "x").stderr == ""


def test_what_get_prints_load_takes(file: Path, tmp_path: Path) -> None:
    omero(file, "config", "set", "example")
    omero(file, "config", "set", "regular", r"^\d+\.tif$")
    listing = omero(file, "config", "get", "--show-password").stdout
    (tmp_path / "properties.backup").write_text(listing)
    copy = config_file(tmp_path / "copy")
    assert omero(copy, "config", "load", str(tmp_path / "properties.backup")).returncode == 0
    assert omero(copy, "config", "get", "--show-password").stdout == listing
    assert omero(copy, "config", "load", input_text="omero.db.host=there\n").returncode == 3
    assert omero(copy, "config", "load", "-q", input_text="omero.db.host=there\nomero.db.hots=\n").returncode == 0
    assert read_profile(copy, "default").values["omero.db.host"] == "there"


@pytest.mark.parametrize(
    "words", [("set", "new", "1"), ("load", "-q"), ("apply", "-", "--prune"), ("def", "other"), ("drop", "default"),
              ("rollback", "0", "--yes"), ("export", "-o", "{copy}")], ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize("present", [True, False])
def test_a_full_disk_is_said_and_changes_nothing(
    file: Path, tmp_path: Path, words: tuple[str, ...], present: bool
) -> None:
    if not present:
        for path in file.parent.iterdir():
            path.unlink()
        if words[0] in ("drop", "rollback", "export"):  # nothing to write
            words = ("upgrade",)
    before = file.read_bytes() if present else None
    # While it runs no file may grow, which to the command is what a full disk is; what counts lines writes afterwards.
    program = (
        "import resource, sys\nfrom omeroadmin.cli.quick import run\n"
        "size = resource.RLIMIT_FSIZE\nlimits = resource.getrlimit(size)\n"
        "resource.setrlimit(size, (0, limits[1]))\n"
        "try:\n    status = run(sys.argv[1:])\nfinally:\n    resource.setrlimit(size, limits)\nsys.exit(status)"
    )
    arguments = [word.format(copy=tmp_path / "copy") for word in words]
    done = omero(file, "config", *arguments, program=program, input_text="new: 1\n")
    last = done.stderr.splitlines()[-2:]
    assert done.returncode == 5
    assert "can't be written: File too large" in last[0]
    assert "bug" not in done.stderr
    assert (file.read_bytes() if file.exists() else None) == before
    assert not [path for path in (*file.parent.iterdir(), *tmp_path.iterdir()) if path.suffix == ".tmp"]
    # Nothing is in the way when there is room again.
    assert omero(file, "config", "set", "new", "2").returncode == 0
    assert omero(file, "config", "log", "--limit", "1").stdout.count("+new") == 1


def test_def_makes_a_profile_the_active_one(file: Path) -> None:
    assert omero(file, "config", "def", "ldap").stdout == "ldap\n"
    assert omero(file, "config", "def").stdout == "ldap\n"
    assert omero(file, "config", "get").stdout == ""
    assert omero(file, "config", "get", "omero.db.host", OMERO_CONFIG="default").stdout == "here\n"
