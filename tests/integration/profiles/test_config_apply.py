"""`omero config apply` and `export` as processes: output, exit statuses, modes of files, secrets."""

from __future__ import annotations

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omeroadmin.profiles.history import read_history
from omeroadmin.profiles.store import read_profile, update_profile
from tests.support.profiles import config_file, omero

WANTED = """\
omero.db.host: there
omero.db.pass: !file db.password
omero.mail.host: ~
omero.mail.config: true
my.version: 1.10
omero.web.apps: [omero_figure]
"""
PLAN = (
    "+ my.version = 1.10\n~ omero.db.host: here -> there\n~ omero.db.pass: ******** -> ********\n"
    '+ omero.mail.config = true\n- omero.mail.host = mail\n+ omero.web.apps = ["omero_figure"]\n'
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml with some properties."""
    file = config_file(tmp_path)
    update_profile(file, {"omero.db.host": "here", "omero.db.pass": "0ld", "omero.mail.host": "mail", "mine": "1"})
    return file


@pytest.fixture
def wanted(tmp_path: Path) -> Path:
    """A YAML file, whose secret is in another."""
    (tmp_path / "db.password").write_text("s3cret\n")
    (tmp_path / "omero.yaml").write_text(WANTED)
    return tmp_path / "omero.yaml"


def test_dry_run_apply_and_again(file: Path, wanted: Path) -> None:
    before = file.read_bytes()
    arguments = ("config", "apply", str(wanted), "--detailed-exitcode")
    for _ in range(2):
        done = omero(file, *arguments, "--dry-run")
        assert (done.returncode, done.stdout, done.stderr) == (8, PLAN, "")
        assert file.read_bytes() == before
    done = omero(file, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (8, PLAN, "")
    written = file.stat().st_mtime_ns
    for more in ((), ("--dry-run",)):
        done = omero(file, *arguments, *more)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert file.stat().st_mtime_ns == written
    assert read_profile(file).values == {
        "omero.db.host": "there", "omero.db.pass": "s3cret", "mine": "1", "my.version": "1.10",
        "omero.mail.config": "true", "omero.web.apps": '["omero_figure"]',
    }  # fmt: skip
    assert omero(file, "config", "apply", str(wanted), "--prune").stdout == "- mine = 1\n"
    assert [revision.cause for revision in read_history(file).revisions][-2:] == ["config apply"] * 2


def test_json(file: Path, wanted: Path) -> None:
    (wanted.parent / "conf.d").mkdir()
    (wanted.parent / "conf.d" / "a.json").write_text('{"omero.db.pass": "n3w", "mine": null}')
    (wanted.parent / "conf.d" / "README").touch()
    done = omero(file, "config", "apply", "--json", "--dry-run", str(wanted.parent / "conf.d"))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "schema": "omeroadmin/config/apply/1",
        "dry_run": True,
        "profile": "default",
        "properties": [
            {"name": "mine", "old": "1", "new": None},
            {"name": "omero.db.pass", "old": "********", "new": "********"},
        ],
        "ignored": [str(wanted.parent / "conf.d" / "README")],
    }
    told = omero(file, "config", "apply", "--dry-run", str(wanted.parent / "conf.d"))
    assert "README" in told.stderr
    assert "README" not in omero(file, "config", "apply", str(wanted.parent / "conf.d")).stderr


def test_later_files_and_the_environment_win(file: Path, tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text("a: 1\nb: 1\nc: 1\nd: !env D\n")
    (tmp_path / "2.properties").write_text("b=2\nc=2\n")
    done = omero(
        file, "config", "apply", "--from-env", str(tmp_path / "1.yaml"), str(tmp_path / "2.properties"),
        CONFIG_c="3", CONFIG_my__own_name="4", D="5",
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "+ a = 1\n+ b = 2\n+ c = 3\n+ d = 5\n+ my_own.name = 4\n")


def test_stdin(file: Path) -> None:
    assert omero(file, "config", "apply", "-", input_text="a: 1.0").stdout == "+ a = 1.0\n"
    done = omero(file, "config", "apply", "--format", "properties", "-", input_text="b=\\u00e9")
    assert done.stdout == "+ b = é\n"


@pytest.mark.parametrize(
    ("text", "arguments", "status", "words"),
    [
        ("", (), 2, "--from-env"),
        ("", ("-", "--prune"), 2, "omero config drop"),
        ("a: 1", ("/nowhere/at/all.yaml",), 3, "/nowhere/at/all.yaml"),
        ("a: 1", ("/nowhere/at/all",), 2, "--format"),
        ("a: 1\nomero.db.port: many", ("-",), 2, "stdin:2: omero.db.port is 'many'"),
        ("a: 1\nomero.db.pass: '********'", ("-",), 3, "stdin:2"),
        ("a: 1\na: 2", ("-",), 2, "stdin:2"),
        ("a: 1\nb: !file /nowhere/at/all", ("-",), 3, "stdin:2: /nowhere/at/all"),
        ("a: 1\nomero.db.pass: {gehe1m: 1}", ("-",), 2, "stdin:2"),
    ],
)
def test_what_is_refused(file: Path, text: str, arguments: tuple[str, ...], status: int, words: str) -> None:
    before = file.read_bytes()
    done = omero(file, "config", "apply", *arguments, input_text=text)
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "gehe1m" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert file.read_bytes() == before


def test_odd_names_are_warned_about_once(file: Path) -> None:
    for warned in (True, False):
        done = omero(file, "config", "apply", "-", input_text="omero.db.hots: x\n")
        assert done.returncode == 0
        assert ("omero.db.host" in done.stderr) is warned


def test_several_at_once_do_the_work_once(file: Path, wanted: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: omero(file, "config", "apply", str(wanted), "--detailed-exitcode"), range(4)))
    assert sorted(run.returncode for run in runs) == [0, 0, 0, 8]
    assert sorted(run.stdout for run in runs) == ["", "", "", PLAN]


def test_a_copy_is_for_its_owner_only_and_replaced_as_a_whole(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "properties.backup"
    copy.write_text("old")
    copy.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(copy)
    done = omero(file, "config", "export", "-o", str(link))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert link.is_symlink()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.read_text() == "mine=1\nomero.db.host=here\nomero.db.pass=0ld\nomero.mail.host=mail\n"
    assert omero(file, "config", "export").stdout == copy.read_text()


def test_where_no_copy_is_written(file: Path, tmp_path: Path) -> None:
    before = file.read_bytes()
    (tmp_path / "link").symlink_to(file)
    for target, status in (("/dev/null", 2), (str(tmp_path / "link"), 2), (str(tmp_path), 2), ("/nowhere/at/all", 5)):
        done = omero(file, "config", "export", "-o", target)
        assert (done.returncode, done.stdout) == (status, ""), target
        assert target in done.stderr
    assert Path("/dev/null").is_char_device()
    assert file.read_bytes() == before


def test_another_profile(file: Path) -> None:
    update_profile(file, {"a": "1"}, profile="other")
    assert omero(file, "config", "export", "--profile", "other", "--format", "yaml").stdout == "a: '1'\n"
    for name, status in (("never", 2), ("__ACTIVE__", 2)):
        done = omero(file, "config", "export", "--profile", name)
        assert (done.returncode, done.stdout) == (status, "")
        assert name in done.stderr
    assert omero(config_file(file.parents[3] / "new"), "config", "export").stdout == ""


def test_what_cant_be_exported_so_is_said(file: Path) -> None:
    update_profile(file, {"my-own": "1", "omero.db.port": "many"})
    done = omero(file, "config", "export", "--format", "env")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'my-own'" in done.stderr
    assert "--format properties" in done.stderr
    assert "omero.db.port" in omero(file, "config", "export").stderr
    assert omero(file, "config", "export", "--format", "commands").stderr == ""
    text = file.read_text().replace('name="my-own"', 'name="my own=é"')
    file.write_text(text)
    done = omero(file, "config", "export")
    assert "my\\ own\\=é=1\n" in done.stdout
    assert "'my own=\\xe9'" in done.stderr


def test_no_secret_is_in_the_arguments_of_exported_commands(file: Path) -> None:
    update_profile(file, {"omero.db.pass": "s3cret\nEND\nx", "omero.ldap.password": "s3cret ", "my.secret": ""})
    script = omero(file, "config", "export", "--format", "commands").stdout
    arguments = [line for line in script.splitlines() if line.startswith("omero ")]
    assert len(arguments) == 6
    assert not any("s3cret" in line for line in arguments)
    done = subprocess.run(["sh", "-n"], input=script, text=True, timeout=20, check=False)
    assert done.returncode == 0


def test_load_reports_what_has_changed(file: Path) -> None:
    text = "mine=1\nomero.db.pass=n3w\nnew = two\\nlines\n"
    done = omero(file, "config", "load", "-q", "--report", input_text=text)
    assert (done.returncode, done.stdout) == (
        0, "Changed: Set omero.db.pass:********\nChanged: Set new:two\nlines\n",
    )  # fmt: skip
    assert omero(file, "config", "load", "--report", input_text=text).stdout == ""
    raw = omero(file, "config", "load", "--raw", "--report", input_text="path=C:\\new\\\n")
    assert raw.stdout == "Changed: Set path:C:\\new\\\n"
