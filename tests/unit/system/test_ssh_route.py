"""Where connections lead: what callers say, and what ~/.ssh/config says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.ssh_route import SshTarget, parse_jumps, read_route


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    return tmp_path / ".ssh" / "config"


def test_callers_come_before_the_configuration(configuration: Path) -> None:
    configuration.write_text(
        "Host db\n  HostName DB.example.org\n  Port 2222\n  User postgres\n  IdentityFile ~/.ssh/db\n"
        "  UserKnownHostsFile ~/.ssh/mine /etc/theirs\n  ConnectTimeout 3\n  ProxyJump me@gate:23\n"
    )
    route = read_route(SshTarget("db"))
    assert (route.host, route.port, route.user, route.timeout) == ("DB.example.org", 2222, "postgres", 3)
    assert (route.known_name, route.only_keys) == ("[db.example.org]:2222", False)
    assert route.keys == (configuration.parent / "db",)
    assert route.known_hosts[:2] == (configuration.parent / "mine", Path("/etc/theirs"))
    assert route.via == SshTarget("gate", 23, "me")
    route = read_route(SshTarget("db", 22, "root", ("~/key",), jumps=(), timeout=9))
    assert (route.port, route.user, route.timeout, route.via) == (22, "root", 9, None)
    assert (route.keys, route.only_keys, route.known_name) == (
        (configuration.parents[1] / "key",),
        True,
        "db.example.org",
    )


def test_jump_hosts_are_chained_and_inherit_what_is_accepted() -> None:
    first, second = SshTarget("a"), SshTarget("b", timeout=7)
    via = read_route(SshTarget("c", jumps=(first, second), accept_new=True, timeout=5)).via
    assert via == replace(second, jumps=(first,), accept_new=True)
    assert read_route(via).via == replace(first, accept_new=True, timeout=7)


@pytest.mark.parametrize(
    ("text", "jumps"),
    [
        ("none", ()),
        ("gate", (SshTarget("gate"),)),
        ("me@gate:23, ssh://[fe80::1]:24", (SshTarget("gate", 23, "me"), SshTarget("fe80::1", 24))),
        ("fe80::1", (SshTarget("fe80::1"),)),
    ],
)
def test_jump_hosts_as_text(text: str, jumps: tuple[SshTarget, ...]) -> None:
    assert parse_jumps(text) == jumps


@pytest.mark.parametrize("text", ["-oProxyCommand=x", "a b", "gate:x", "gate:70000", "me@", "a,,b"])
def test_what_is_no_jump_host(text: str) -> None:
    with pytest.raises(AdminError, match="no jump host"):
        parse_jumps(text)


def test_jump_hosts_in_circles_and_a_broken_configuration(configuration: Path) -> None:
    configuration.write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(AdminError) as caught:
        read_route(SshTarget("a"))
    assert caught.value.code == "ssh-jumps-in-circles"
    configuration.write_bytes(b"\xff\xfe")
    with pytest.raises(AdminError) as caught:
        read_route(SshTarget("a"))
    assert caught.value.code == "ssh-config-invalid"
