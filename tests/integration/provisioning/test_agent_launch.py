"""Agents started on a host by SSH: with the rights that are wished, through the shells that there are."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psutil
import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning import session as session_module
from omeroadmin.provisioning.launch import AgentChannel, Rights
from omeroadmin.provisioning.session import AgentSession
from omeroadmin.provisioning.ssh_streams import SshStreams
from omeroadmin.system.ssh import SshConnection
from omeroadmin.system.ssh_route import SshTarget
from tests.support.accounts import PASSWORD, Account, sshd_with_accounts
from tests.support.components import require_program
from tests.support.ssh import Sshd

pytestmark = pytest.mark.root

OLD = """#!/bin/sh
exec python3 -I -S -c "import sys;sys.version_info=(3,6,9,'final',0);exec(sys.argv[1])" "$4"
"""
ACCOUNTS = {
    "keen": Account(sudoers="{name} ALL=(ALL) ALL"),
    "free": Account(sudoers="{name} ALL=(ALL) NOPASSWD: ALL", files={"old": OLD}),
    "poor": Account(),
    "glass": Account(sudoers="Defaults:{name} requiretty\n{name} ALL=(ALL) NOPASSWD: ALL"),
    "noisy": Account(sudoers="{name} ALL=(ALL) ALL", files={".bashrc": "echo Welcome!; printf 'no line end'\n"}),
    "shell": Account(login="/bin/csh", sudoers="{name} ALL=(ALL) ALL"),
    "shut": Account(login="/usr/sbin/nologin"),
}


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    require_program("sudo")
    require_program("csh")
    with sshd_with_accounts(tmp_path_factory.mktemp("accounts"), ACCOUNTS) as running:
        yield running


def user_of_agent(sshd: Sshd, account: str, rights: Rights, python: str = "python3") -> str:
    """Whom the agent runs as, when it has been started for this account."""
    connection = SshConnection(SshTarget("127.0.0.1", sshd.port, account))
    try:
        channel = AgentChannel("omero1", python, rights, lambda arguments: SshStreams(connection, arguments))
        session = AgentSession(channel)
        try:
            return str(session.run(["id", "-un"], 20)["output"]).strip()
        finally:
            session.close()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("account", "rights", "user"),
    [
        ("poor", Rights(), "poor"),
        ("keen", Rights(sudo=True, password=PASSWORD), "root"),
        ("keen", Rights(sudo=True, password=PASSWORD, user="poor"), "poor"),
        ("free", Rights(sudo=True), "root"),
        ("free", Rights(sudo=True, password="not asked for"), "root"),
        ("noisy", Rights(), "noisy"),
        ("noisy", Rights(sudo=True, password=PASSWORD), "root"),
        ("shell", Rights(sudo=True, password=PASSWORD), "root"),
    ],
)
def test_agent_has_the_rights_that_are_wished(sshd: Sshd, account: str, rights: Rights, user: str) -> None:
    assert user_of_agent(sshd, account, rights) == user


@pytest.mark.parametrize(
    ("account", "rights", "code"),
    [
        ("keen", Rights(sudo=True, password="wrong"), "sudo-refused"),
        ("keen", Rights(sudo=True), "sudo-password-needed"),
        ("poor", Rights(sudo=True, password=PASSWORD), "sudo-not-allowed"),
        ("glass", Rights(sudo=True), "sudo-needs-terminal"),
        ("free", Rights(sudo=True, user="nobody-of-this-name"), "become-user-unknown"),
        ("shut", Rights(), "login-shell-unfit"),
    ],
)
def test_what_keeps_an_agent_from_its_start(sshd: Sshd, account: str, rights: Rights, code: str) -> None:
    with pytest.raises(AdminError) as caught:
        user_of_agent(sshd, account, rights)
    assert caught.value.code == code
    assert "\n" not in caught.value.message
    assert caught.value.message.startswith("omero1")


@pytest.mark.parametrize("rights", [Rights(), Rights(sudo=True)], ids=["plain", "sudo"])
@pytest.mark.parametrize(
    ("python", "code"),
    [("python3.99", "python-missing"), ("/usr/bin/no", "python-missing"), ("./old", "python-too-old")],
)
def test_hosts_without_the_python_that_is_needed(sshd: Sshd, rights: Rights, python: str, code: str) -> None:
    with pytest.raises(AdminError) as caught:
        user_of_agent(sshd, "free", rights, python)
    assert caught.value.code == code


@pytest.fixture
def session(sshd: Sshd) -> Iterator[AgentSession]:
    connection = SshConnection(SshTarget("127.0.0.1", sshd.port, "poor"))
    session = AgentSession(AgentChannel("omero1", "python3", Rights(), lambda words: SshStreams(connection, words)))
    yield session
    session.close()
    connection.close()


def test_messages_of_megabytes_go_both_ways(session: AgentSession) -> None:
    text = "é\n" * 2_000_000
    assert session.run(["cat"], 60, text)["output"] == text
    assert session.run(["sh", "-c", "sleep 0.5; cat"], 60, text)["output"] == text
    assert session.run(["sh", "-c", "echo out; echo err >&2; exit 7"], 60)["status"] == 7


def test_connection_killed_in_the_middle(sshd: Sshd, session: AgentSession) -> None:
    def kill() -> None:
        for child in map(psutil.Process, sshd.children()):
            if child.name().startswith("sshd"):
                child.kill()

    killer = threading.Timer(0.5, kill)
    killer.start()
    with pytest.raises(AdminError) as caught:
        session.run(["sleep", "5"], 200)
    killer.join()
    assert (caught.value.code, caught.value.exit_status) == ("host-lost", 4)


def test_host_that_falls_silent(sshd: Sshd, session: AgentSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_SILENCE", 1.5)
    there = [child for child in map(psutil.Process, sshd.children()) if child.name().startswith("sshd")]
    for process in there:
        process.suspend()
    try:
        with pytest.raises(AdminError) as caught:
            session.run(["true"], 200)
        session.close()
    finally:
        for process in there:
            process.resume()
    assert (caught.value.code, caught.value.exit_status) == ("host-silent", 4)
