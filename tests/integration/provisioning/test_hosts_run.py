"""`omero hosts run` as a process: programs on real hosts, statuses, secrets."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.accounts import PASSWORD, Account, sshd_with_accounts
from tests.support.agents import with_kept_state
from tests.support.components import require_program
from tests.support.omero import Omero
from tests.support.ports import free_port
from tests.support.ssh import Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    require_program("sudo")
    accounts = {
        "keen": Account(sudoers="{name} ALL=(ALL) ALL"),
        "free": Account(sudoers="{name} ALL=(ALL) NOPASSWD: ALL"),
        "poor": Account(),
    }
    with sshd_with_accounts(tmp_path_factory.mktemp("accounts"), accounts) as running:
        yield running


@pytest.fixture
def omero(sshd: Sshd, tmp_path: Path) -> Omero:
    """The command line of a user who has an inventory with a host that is gone, and a jump host."""
    (tmp_path / "sudo").write_text(f"{PASSWORD}\n")
    (tmp_path / "hosts.yml").write_text(
        f"defaults: {{port: {sshd.port}, become: sudo}}\n"
        "groups: {good: {hosts: [a, b]}}\n"
        "hosts:\n"
        "  gate: {address: 127.0.0.1, user: poor, become: none}\n"
        "  a: {address: 127.0.0.1, user: keen, sudo_password: !file sudo, jump: gate}\n"
        "  b: {address: 127.0.0.1, user: free}\n"
        f"  gone: {{address: 127.0.0.1, port: {free_port()}}}\n"
        "  c: {address: 127.0.0.1, user: poor}\n"
    )
    return Omero(sshd.home, extra={"OMERO_HOSTS": str(tmp_path / "hosts.yml")})


@pytest.mark.root
def test_every_host_is_tried_and_told_apart(omero: Omero) -> None:
    done = omero.run("hosts", "run", "--limit", "!gate", "--json", "--", "id", "-un")
    assert done.returncode == 5
    document = json.loads(done.stdout)
    assert document["schema"] == "omeroadmin/hosts/run/1"
    found = {
        host["host"]: (host["state"], host["output"], (host["problem"] or {}).get("code")) for host in document["hosts"]
    }
    assert found == {
        "a": ("done", "root\n", None),
        "b": ("done", "root\n", None),
        "gone": ("unreachable", "", "ssh-unreachable"),
        "c": ("failed", "", "sudo-password-needed"),
    }
    assert list(found) == ["a", "b", "gone", "c"]
    assert omero.run("hosts", "run", "--limit", "b,gone", "--", "true").returncode == 4
    assert omero.run("hosts", "run", "--limit", "c", "--no-become", "--", "true").returncode == 0


@pytest.mark.root
def test_output_is_shown_by_host_and_secrets_are_hidden(omero: Omero) -> None:
    line = f"echo one; cat >&2 <<'END'\nsaid {PASSWORD}\nEND\nexit 3"
    done = omero.run("hosts", "run", "--limit", "a", "--shell", "--", line)
    assert done.returncode == 5
    assert done.stdout.splitlines()[0].startswith("a: failed, status 3, ")
    assert done.stdout.splitlines()[1:] == ["  one", "  ! said ********"]
    assert done.stderr.endswith("1 host: 1 failed\n")
    assert "horse" not in done.stdout + done.stderr


@pytest.mark.root
def test_program_that_takes_too_long_or_is_not_there(omero: Omero) -> None:
    done = omero.run("hosts", "run", "--limit", "b", "--timeout", "1", "--", "sleep", "60")
    assert (done.returncode, "host-program-timeout" in done.stdout) == (5, True)
    done = omero.run("hosts", "run", "--limit", "b", "--", "no-such-program")
    assert (done.returncode, "host-program-missing" in done.stdout) == (5, True)


@pytest.mark.root
def test_interrupted_run_ends_at_once(omero: Omero, sshd: Sshd, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with (tmp_path / "hosts.yml").open("a") as stream:
            stream.write(f"  silent: {{address: 127.0.0.1, port: {silent.getsockname()[1]}, timeout: 100}}\n")
        words = ("hosts", "run", "--limit", "b,silent", "--", "touch", str(tmp_path / "begun"))
        command = [sys.executable, "-m", "omeroadmin", *words]
        process = subprocess.Popen(command, env=omero.environment, stdout=subprocess.DEVNULL)
        assert wait_until((tmp_path / "begun").exists, timeout=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_a_document_says_what_plans_and_reports_say_by_the_same_names(tmp_path: Path) -> None:
    (tmp_path / "fail.yml").write_text(
        "playbook: fail\ntitle: T\nhosts: all\nstages: [{stage: s, operations: [command: {arguments: [gone]}]}]\n"
    )
    omero = Omero(tmp_path, extra={"OMERO_USERDIR": str(tmp_path)}, launcher=with_kept_state(tmp_path / "state"))
    commands = (("run", "--local", "--json", "--", "gone"), ("apply", "fail.yml", "--local", "--yes", "--json"))
    found = []
    for words in commands:
        done = omero.run("hosts", *words)
        assert done.returncode == 5, done.stderr
        (host,) = json.loads(done.stdout)["hosts"]
        assert (host["host"], host["state"], host["problem"]["code"]) == ("localhost", "failed", "host-program-missing")
        found.append(host)
    assert found[0]["problem"] == {**found[1]["problem"], "key": ""}


def test_this_machine_and_what_is_no_program(tmp_path: Path) -> None:
    omero = Omero(tmp_path)
    done = omero.run("hosts", "run", "--local", "--no-become", "--", "echo", "a  b")
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["  a  b"])
    done = omero.run("hosts", "run", "--local", "--quiet", "--", "echo", "a  b")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = omero.run("hosts", "run", "--local", "-q", "--", "sh", "-c", "echo a; exit 3")
    assert (done.returncode, done.stdout.splitlines()[1:], done.stderr) == (5, ["  a"], "")
    done = omero.run("hosts", "run", "--local", "--", "yes")
    assert (done.returncode, "host-output-too-long" in done.stdout) == (5, True)
    done = omero.run("hosts", "run", "--local", "--", "echo a")
    assert (done.returncode, "--shell" in done.stderr) == (2, True)
    assert omero.run("hosts", "run", "--local", "--shell", "--", "echo", "a").returncode == 2
