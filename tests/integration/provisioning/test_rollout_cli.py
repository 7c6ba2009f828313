"""`omero hosts plan`, `diff`, `apply`, `report`, `undo`, `facts` as processes: what they print, and their statuses."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.agents import with_kept_state
from tests.support.omero import Omero
from tests.support.terminal import on_terminal

PLAYBOOK = """\
playbook: try
title: A try
hosts: servers
variables:
  where: {type: path, required: true, description: Where the files are.}
  words: {default: hello, description: What they say.}
  token: {default: '', secret: true, description: What nobody sees.}
stages:
  - stage: files
    operations:
      - {directory: {path: "{{ where }}"}, tags: directory}
      - {file: {path: "{{ where }}/a", content: "{{ words }}\\n"}, tags: file}
      - {file: {path: "{{ where }}/b", content: "{{ token }}", mode: '0600'}}
"""


@pytest.fixture
def omero(tmp_path: Path) -> Omero:
    (tmp_path / "try.yml").write_text(PLAYBOOK)
    (tmp_path / "more.yml").write_text("token: !env TOKEN\n")
    extra = {"OMERODIR": "", "OMERO_USERDIR": str(tmp_path / "user"), "TOKEN": "swordfish"}
    return Omero(tmp_path, extra=extra, launcher=with_kept_state(tmp_path / "state"))


HERE = ("--local", "--vars", "more.yml", "--set", "where={home}/files")


def said(omero: Omero, *arguments: str, status: int = 0) -> str:
    """What a command prints on stdout."""
    done = omero.run("hosts", *(word.format(home=omero.home) for word in arguments))
    assert done.returncode == status, done.stdout + done.stderr
    assert "swordfish" not in done.stdout + done.stderr
    assert "bug" not in done.stderr
    return done.stdout


def test_from_nothing_to_nothing_to_do_and_back(omero: Omero) -> None:
    where = omero.home / "files"
    plan = said(omero, "plan", "try.yml", *HERE, "--detailed-exitcode", status=8)
    assert f"  try/files: make directory {where}" in plan
    assert "      +hello\n" in plan
    assert not where.exists()
    assert "+hello\n" in said(omero, "diff", "try.yml", *HERE)
    assert "changed, 3 changes" in said(omero, "apply", "try.yml", *HERE, "--yes", "--detailed-exitcode", status=8)
    assert (where / "b").read_text() == "swordfish"
    # A cron job is heard only where something happens.
    assert said(omero, "apply", "try.yml", *HERE, "--yes", "--detailed-exitcode") == ""
    assert "nothing to do" in said(omero, "plan", "try.yml", *HERE, "--detailed-exitcode")
    (first, second) = json.loads(said(omero, "report", "--list", "--json"))["runs"]
    assert (first["counts"], second["counts"]) == ({"changed": 1}, {"unchanged": 1})
    assert "| 1 unchanged\n(2 rows)" in said(omero, "report", "--list")
    assert "write" in said(omero, "report", first["run"])
    done = json.loads(said(omero, "undo", first["run"], "--local", "--yes", "--json"))
    assert done["undoes"] == first["run"]
    assert not (where / "a").exists()
    assert said(omero, "report").startswith("localhost: changed")


def test_documents(omero: Omero) -> None:
    plan = json.loads(said(omero, "plan", "try.yml", *HERE, "--json"))
    assert (plan["schema"], plan["playbooks"]) == ("omeroadmin/hosts/plan/1", ["try"])
    (host,) = plan["hosts"]
    assert (host["host"], host["state"], host["operations"]) == ("localhost", "changes", 3)
    assert host["changes"][1]["diff"] == ["@@ -0,0 +1 @@", "+hello"]
    assert host["changes"][2]["diff"] == []
    diff = json.loads(said(omero, "diff", "try.yml", *HERE, "--json", "--detailed-exitcode", status=8))
    assert diff.keys() == plan.keys()
    assert diff["hosts"][0]["changes"] == host["changes"]
    report = json.loads(said(omero, "apply", "try.yml", *HERE, "--yes", "--json"))
    assert report["schema"] == "omeroadmin/hosts/report/1"
    assert [change["key"] for change in report["hosts"][0]["changes"]] == ["try/files/1", "try/files/2", "try/files/3"]
    assert json.loads(said(omero, "report", "--json")) == report
    (listed,) = json.loads(said(omero, "report", "--list", "--json"))["runs"]
    assert listed.pop("counts") == {"changed": 1}
    assert {**report, **listed} == report
    facts = json.loads(said(omero, "facts", "--local", "--json"))
    assert facts["hosts"][0]["facts"]["cpus"] > 0
    assert "cpus" in said(omero, "facts", "--local")


def test_quiet_says_what_is_wrong_and_nothing_else(omero: Omero) -> None:
    assert "+hello" in said(omero, "plan", "try.yml", *HERE, "--quiet")
    done = omero.run("hosts", "apply", "try.yml", *(word.format(home=omero.home) for word in HERE), "--yes", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (omero.home / "files" / "a").read_text() == "hello\n"
    for command in ("plan", "diff"):
        assert said(omero, command, "try.yml", *HERE, "--quiet") == ""
    assert "cpus" in said(omero, "facts", "--local", "--quiet")
    shown = said(omero, "report", "--quiet")
    assert shown == said(omero, "report")
    assert said(omero, "undo", shown.splitlines()[-1].split()[1][:-1], "--local", "--yes", "--quiet") == ""
    assert not (omero.home / "files").exists()
    (omero.home / "files").write_text("in the way")
    done = omero.run("hosts", "apply", "try.yml", "--local", "--set", f"where={omero.home}/files", "--yes", "-q")
    assert (done.returncode, done.stdout) == (5, "")
    assert "is not a directory" in done.stderr


def test_parts_by_tags(omero: Omero) -> None:
    said(omero, "apply", "try.yml", *HERE, "--yes", "--tags", "directory")
    assert list((omero.home / "files").iterdir()) == []
    said(omero, "apply", "try.yml", *HERE, "--yes", "--skip-tags", "file")
    assert [path.name for path in (omero.home / "files").iterdir()] == ["b"]


def test_a_saved_plan(omero: Omero) -> None:
    said(omero, "plan", "try.yml", *HERE, "--out", "saved")
    (omero.home / "files").mkdir()
    (omero.home / "files").chmod(0o700)
    done = omero.run("hosts", "apply", "--plan", "saved", "--yes")
    assert (done.returncode, done.stdout) == (5, "")
    assert "saved: what it was made of has changed since" in done.stderr
    assert list((omero.home / "files").iterdir()) == []
    (omero.home / "files").rmdir()
    said(omero, "apply", "--plan", "saved", "--yes")
    assert (omero.home / "files" / "a").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("plan", "gone.yml", "--local"), 2, "there is no playbook gone.yml"),
        (("plan", "try.yml", "--local"), 3, "needs a value for where: Where the files are."),
        (("plan", "try.yml"), 3, "there is no inventory hosts.yml"),
        (("plan", "try.yml", "--local", "--set", "were=/x"), 2, "no playbook has a variable 'were'"),
        (("plan", "try.yml", "--local", "--set", "token=x"), 2, "token is a secret"),
        (("plan", "try.yml", *HERE, "--tags", "fil"), 2, "no operation has the tag 'fil'"),
        (("plan", "try.yml", "--local", "--set", "where=files"), 2, "where is 'files', but takes an absolute path"),
        (("apply", "try.yml", *HERE), 2, "there is no terminal to ask at"),
        (("apply", "--yes"), 2, "name playbooks, or a saved plan"),
        (("apply", "--yes", "try.yml", "--plan", "more.yml"), 2, "name playbooks, or a saved plan"),
        (("apply", "--yes", "--plan", "more.yml"), 3, "more.yml is no saved plan"),
        (("apply", "--yes", "--plan", "gone"), 3, "gone can't be read"),
        (("apply", "--yes", "--plan", "{home}"), 3, "{home} can't be read"),
        (("plan", "try.yml", "--local", "--vars", "gone"), 3, "gone can't be read"),
        (("plan", "try.yml", "--inventory", "{home}"), 3, "{home} can't be read"),
        (("plan", "try.yml", "--local", "--vars", "latin"), 3, "latin is not UTF-8 text (byte 1)"),
        (("apply", "--yes", "--plan", "saved", "--limit", "web"), 2, "saved says already what is done where"),
        (("report", "20"), 3, "there is no run '20'"),
        (("report",), 3, "there has been no run"),
        (("undo", "20", "--local", "--yes"), 3, "there is no run '20'"),
        (("plan", "try.yml", *HERE, "--forks", "0"), 2, "--forks"),
        (("plan", "try.yml", *HERE, "--limit", ""), 2, "--limit is given, and is empty"),
        (("apply", "try.yml", *HERE, "--yes", "--tags", ","), 2, "--tags is given, and is empty"),
        (("run", "--local", "--", ""), 2, "the name of the program is empty"),
        (("plan", "hosts.yml", "--local"), 2, "there is no playbook hosts.yml"),
    ],
)
def test_bad_input_is_one_line(omero: Omero, arguments: tuple[str, ...], status: int, words: str) -> None:
    (omero.home / "latin").write_bytes(b"a\xe4")
    done = omero.run("hosts", *(word.format(home=omero.home) for word in arguments))
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert words.format(home=omero.home) in lines[0]
    assert len(lines) <= 2
    assert not (omero.home / "files").exists()


def test_an_undo_that_nobody_confirms_says_where_to_look(omero: Omero) -> None:
    done = omero.run("hosts", "undo", "20", "--local")
    assert (done.returncode, done.stderr.splitlines()[1]) == (
        2,
        "  -> look at it with omero hosts report 20, then add --yes",
    )


def test_failures_are_a_line_and_a_status(omero: Omero) -> None:
    (omero.home / "files").write_text("in the way")
    done = omero.run("hosts", "apply", "try.yml", "--local", "--set", f"where={omero.home}/files", "--yes")
    assert done.returncode == 5
    assert "omero: localhost: " in done.stderr
    assert "is not a directory" in done.stderr
    assert (omero.home / "files").read_text() == "in the way"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_the_operation_end(omero: Omero, number: signal.Signals) -> None:
    log = omero.home / "log"
    (omero.home / "slow.yml").write_text(
        "playbook: slow\ntitle: T\nhosts: all\nstages:\n  - stage: s\n    operations:\n"
        f"      - command: {{arguments: [sh, -c, 'echo 1 >> {log}; sleep 1; echo 2 >> {log}']}}\n"
        f"      - command: {{arguments: [sh, -c, 'echo 3 >> {log}']}}\n"
    )
    process = subprocess.Popen(
        [*omero.launcher, sys.executable, "-m", "omeroadmin", "hosts", "apply", "slow.yml", "--local", "--yes"],
        env=omero.environment, cwd=omero.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert wait_until(log.exists, timeout=30)
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, output + errors
    assert log.read_text() == "1\n2\n"
    assert "1 interrupted" in output
    assert errors == "Interrupted: what is at work on the hosts is waited for; Ctrl-C again leaves it\n"
    assert json.loads(said(omero, "report", "--json"))["complete"]


def test_a_terminal_is_asked(omero: Omero) -> None:
    words = [word.format(home=omero.home) for word in HERE]
    command = [*omero.launcher, sys.executable, "-m", "omeroadmin", "hosts", "apply", f"{omero.home}/try.yml", *words]
    command[command.index("more.yml")] = str(omero.home / "more.yml")
    for answer, status in (("n\n", 130), ("\x03", 130), ("\x04", 130), ("y\n", 0)):
        with on_terminal(command, omero.environment) as terminal:
            terminal.expect("make directory")
            terminal.expect("3 changes on 1 host")
            terminal.expect("Go ahead? [y/N] ")
            assert not (omero.home / "files").exists()
            terminal.type(answer)
            assert terminal.end() == status
            assert status == 0 or "\r\nomero: nothing was changed\r\n" in terminal.shown
    assert "1 changed" in terminal.shown
    assert (omero.home / "files" / "a").exists()
    with on_terminal(command, omero.environment) as terminal:
        assert terminal.end() == 0
    assert "1 unchanged" in terminal.shown


def test_a_slip_in_a_name_is_warned_of(omero: Omero) -> None:
    (omero.home / "more.yml").write_text("token: !env TOKEN\nwrods: Hello\nother: 5\nword: Hello\n")
    done = omero.run("hosts", "plan", "try.yml", *(word.format(home=omero.home) for word in HERE))
    assert done.returncode == 0
    assert "WARNING: more.yml:2: no playbook here has a variable wrods" not in done.stderr  # short names may differ
    (omero.home / "try.yml").write_text(PLAYBOOK.replace("words", "message"))
    (omero.home / "more.yml").write_text("token: !env TOKEN\nmesage: Hello\nother: 5\n")
    done = omero.run("hosts", "plan", "try.yml", *(word.format(home=omero.home) for word in HERE))
    assert done.stderr == "WARNING: more.yml:2: no playbook here has a variable mesage; did you mean message?\n"
