"""`omero config edit` with editors that are scripts, on a terminal and off it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.profiles.history import read_history
from omeroadmin.profiles.store import read_profile, update_profile
from omeroadmin.system.clock import wait_until
from tests.support.grid import is_alive
from tests.support.profiles import config_file, environment, omero
from tests.support.terminal import on_terminal

PROPERTIES = {"my.text": "one\n  two \n", "omero.db.host": "here", "omero.db.pass": "s3cret", "omero.mail.host": "x"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml with some properties."""
    file = config_file(tmp_path)
    update_profile(file, PROPERTIES, profile="default")
    return file


def editor(tmp_path: Path, script: str) -> str:
    """A program that edits the file ``$1``, and tells its name in ``seen``."""
    program = tmp_path / "editor with space.sh"
    program.write_text(f'#!/bin/sh\nset -eu\ncd {tmp_path}\nprintf %s "$1" > seen\n{script}\n')
    program.chmod(0o755)
    return f"'{program}'"


def seen(tmp_path: Path) -> Path:
    """The file that the editor was given."""
    return Path((tmp_path / "seen").read_text())


def values(file: Path) -> dict[str, str]:
    return read_profile(file, "default").values


def test_what_the_editor_sees_and_what_is_saved(file: Path, tmp_path: Path) -> None:
    script = """\
cp "$1" copy
stat -c '%a %F' "$1" "$(dirname "$1")" > modes
sed -i -e 's/=here$/=there/' -e '/^omero.mail.host=/d' -e 's/two/zwei/' "$1"
echo 'new: value' >> "$1"
touch "$1~"
"""
    done = omero(file, "config", "edit", VISUAL=editor(tmp_path, script), EDITOR="false", TMPDIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "~ my.text: one\\n  two \\n -> one\\n  zwei \\n\n+ new = value\n~ omero.db.host: here -> there\n"
        "- omero.mail.host = x\n"
    )
    text = (tmp_path / "copy").read_text()
    assert "\nmy.text=one\\n\\\n    \\  two\\u0020\\n\n\n# " in text
    lines = text.splitlines()
    host = lines.index("omero.db.host=here")
    assert lines[host - 1].startswith("# Takes a host name")
    assert lines[host - 2].startswith("# ")
    assert "omero.db.pass=s3cret" in lines
    assert max(map(len, lines)) <= 110
    assert (tmp_path / "modes").read_text() == "600 regular file\n700 directory\n"
    assert values(file) == {
        "my.text": "one\n  zwei \n", "omero.db.host": "there", "omero.db.pass": "s3cret", "new": "value",
    }  # fmt: skip
    assert read_history(file).revisions[-1].cause == "config edit"
    assert not seen(tmp_path).parent.exists()


def test_nothing_edited_is_nothing_written(file: Path, tmp_path: Path) -> None:
    before = file.stat().st_mtime_ns
    done = omero(file, "config", "edit", EDITOR=editor(tmp_path, 'echo "# more" >> "$1"'))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Nothing has changed.\n")
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("script", "status", "words"),
    [
        ("echo new=1 >> $1; exit 3", 5, "status 3"),
        ("echo new=1 >> $1; kill -9 $$", 5, "signal 9"),
        ("rm $1", 3, "can't be read"),
        ("printf 'new=\\377' > $1", 3, "UTF-8"),
        ("echo omero.db.port=many >> $1", 2, "omero.properties:"),
        ("echo new=1 >> $1; echo 'a b=\\u12' >> $1", 2, "is not a character"),
        ("echo omero.db.pass=gehe1m >> $1", 2, "omero.db.pass"),
        ("echo omero.ldap.password=******** >> $1", 3, "not shown"),
    ],
)
def test_off_a_terminal_a_mistake_is_a_failure(
    file: Path, tmp_path: Path, script: str, status: int, words: str
) -> None:
    before = file.read_bytes()
    done = omero(file, "config", "edit", EDITOR=editor(tmp_path, script), TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (status, "")
    assert words in done.stderr
    assert "gehe1m" not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert file.read_bytes() == before
    assert not seen(tmp_path).parent.exists()


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"EDITOR": "/nowhere/ed --wait"}, "/nowhere/ed"),
        ({"EDITOR": "vi 'x"}, "EDITOR is"),
        ({"PATH": "/nowhere"}, "there is no editor"),
        ({"PATH": "/nowhere", "VISUAL": " "}, "there is no editor"),
    ],
)
def test_no_editor(file: Path, extra: dict[str, str], words: str) -> None:
    done = omero(file, "config", "edit", **extra)
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr


def test_the_usual_editor(file: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "nano"
    program.write_text('#!/bin/sh\necho new=1 >> "$1"\n')
    program.chmod(0o755)
    with on_terminal(command_line(), environment(file, PATH=f"{tmp_path}/bin")) as terminal:
        terminal.expect("+ new = 1")
        assert terminal.end() == 0


def test_values_that_were_wrong_before_are_not_in_the_way(file: Path, tmp_path: Path) -> None:
    update_profile(file, {"omero.db.port": "many", "omero.ldap.password": "********"}, profile="default")
    assert omero(file, "config", "edit", EDITOR=editor(tmp_path, "echo new=1 >> $1")).returncode == 0
    done = omero(file, "config", "edit", "--force", EDITOR=editor(tmp_path, "sed -i s/many/few/ $1"))
    assert done.stdout == "~ omero.db.port: many -> few\n"


def test_what_somebody_else_has_changed_meanwhile_is_kept_and_so_is_the_text(file: Path, tmp_path: Path) -> None:
    script = f'echo mine=1 >> "$1"; OMERODIR={file.parents[2]} {sys.executable} -m omeroadmin config set theirs 2'
    done = omero(file, "config", "edit", EDITOR=editor(tmp_path, script), TMPDIR=str(tmp_path))
    assert (done.returncode, done.stdout) == (6, "")
    kept = seen(tmp_path)
    assert str(kept) in done.stderr
    assert values(file) == {**PROPERTIES, "theirs": "2"}
    assert kept.read_text().endswith("mine=1\n")
    assert kept.stat().st_mode & 0o777 == 0o600
    # The hint can be typed.
    command = done.stderr.split("omero config apply ")[1].split()
    assert omero(file, "config", "apply", *command).stdout == "+ mine = 1\n- theirs = 2\n"


def test_what_cant_be_saved_is_said_before_anybody_edits(file: Path, tmp_path: Path) -> None:
    file.chmod(0o400)
    done = omero(file, "config", "edit", EDITOR=editor(tmp_path, "true"))
    assert done.returncode == 3
    assert "read-only" in done.stderr
    assert not (tmp_path / "seen").exists()


def test_no_editor_waits_where_nobody_is(file: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "vi").symlink_to("/bin/true")
    done = omero(file, "config", "edit", PATH=f"{tmp_path}/bin", TMPDIR=str(file.parents[3]))
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no terminal for vi" in done.stderr
    assert "omero config apply" in done.stderr
    assert not list(file.parents[3].glob("omero-edit-*"))


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "omeroadmin", "config", "edit", *arguments]


MISTAKE_FIRST = """\
if test -e second; then sed -i s/many/5433/ "$1"; else echo omero.db.port=many >> "$1"; touch second; fi
"""


@pytest.mark.parametrize("answer", ["\n", "y\n", "YES\n"])
def test_back_into_the_editor_with_the_same_text(file: Path, tmp_path: Path, answer: str) -> None:
    with on_terminal(command_line(), environment(file, EDITOR=editor(tmp_path, MISTAKE_FIRST))) as terminal:
        terminal.expect("'many'")
        terminal.expect("Back into the editor? [Y/n]")
        assert values(file) == PROPERTIES
        terminal.type(answer)
        terminal.expect("+ omero.db.port = 5433")
        assert terminal.end() == 0
    assert values(file) == {**PROPERTIES, "omero.db.port": "5433"}


@pytest.mark.parametrize("answer", ["n\n", "\x04", "what\n"])
def test_enough_of_it(file: Path, tmp_path: Path, answer: str) -> None:
    with on_terminal(command_line(), environment(file, EDITOR=editor(tmp_path, MISTAKE_FIRST))) as terminal:
        terminal.expect("Back into the editor? [Y/n]")
        terminal.type(answer)
        terminal.expect("nothing was changed")
        assert terminal.end() == 2
    assert values(file) == PROPERTIES
    assert not seen(tmp_path).parent.exists()


def test_ctrl_c_is_the_editors(file: Path, tmp_path: Path) -> None:
    script = 'trap "echo new=1 >> \\"$1\\"; exit 0" INT\necho ready\nread line'
    with on_terminal(command_line(), environment(file, EDITOR=editor(tmp_path, script))) as terminal:
        terminal.expect("ready")
        terminal.type("\x03")
        terminal.expect("+ new = 1")
        assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_no_secret_stays_behind_when_it_is_ended(file: Path, tmp_path: Path, number: signal.Signals) -> None:
    script = "echo $$ > pid; mv pid started; exec sleep 60"
    with subprocess.Popen(
        command_line(),
        env=environment(file, EDITOR=editor(tmp_path, script), TMPDIR=str(tmp_path)),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert wait_until((tmp_path / "started").exists, timeout=20)
        directory = seen(tmp_path).parent
        assert directory.exists()
        process.send_signal(number)
        _, words = process.communicate(timeout=20)
    assert process.returncode == 130, words
    assert "Traceback" not in words
    assert not directory.exists()
    assert values(file) == PROPERTIES
    editor_pid = int((tmp_path / "started").read_text())
    assert wait_until(lambda: not is_alive(editor_pid), timeout=10)
