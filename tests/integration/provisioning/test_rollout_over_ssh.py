"""A roll-out by SSH: each host that has something wrong is a line, and the others are changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.support.accounts import Account, sshd_with_accounts
from tests.support.components import require_program
from tests.support.omero import Omero

pytestmark = pytest.mark.root

PLAYBOOK = """\
playbook: p
title: T
hosts: all
requires:
  - {that: host.name != "odd", message: this playbook does not know Odd Linux 1}
stages:
  - stage: s
    operations:
      - directory: {path: "/etc/omeroadmin-homes/{{ host.name }}/new"}
      - {file: {path: "/etc/omeroadmin-homes/{{ host.name }}/new/f", content: x}, when: host.name != "full"}
      - {file: {path: /dev/full/f, content: x}, when: host.name == "full"}
"""
HOSTS = """\
hosts:
  good: {}
  other: {}
  gone: {port: 1, user: good}
  blank: {python: python3.0}
  sudo: {user: sudoer, become: sudo, sudo_password: !env SUDO}
  odd: {user: good}
  full: {}
"""
PROBLEMS = {
    "gone": ("unreachable", "Connection refused"),
    "blank": ("failed", "python3.0"),
    "sudo": ("failed", "sudo"),
    "odd": ("failed", "this playbook does not know Odd Linux 1"),
    "full": ("failed", "/dev/full/f"),
}


def test_what_is_wrong_is_a_line_for_each_host(tmp_path: Path) -> None:
    require_program("sudo")
    accounts = {name: Account() for name in ("good", "other", "blank", "full")}
    accounts["sudoer"] = Account(sudoers="{name} ALL=(ALL) ALL")
    with sshd_with_accounts(tmp_path / "sshd", accounts) as sshd:
        text = HOSTS
        for name in ("good", "other", "blank", "full"):
            text = text.replace(f"  {name}: {{", f"  {name}: {{user: {name}, ")
        defaults = f"defaults: {{port: {sshd.port}, key: {sshd.home}/.ssh/id_ed25519}}\n"
        text = text.replace(": {", ": {address: 127.0.0.1, ")
        (tmp_path / "hosts.yml").write_text(defaults + text)
        (tmp_path / "p.yml").write_text(PLAYBOOK)
        (tmp_path / ".ssh").mkdir()
        shutil.copy(sshd.home / ".ssh" / "known_hosts", tmp_path / ".ssh")
        omero = Omero(tmp_path, extra={"OMERODIR": "", "SUDO": "wrong password"})
        done = omero.run("hosts", "apply", "p.yml", "--yes", "--json")
        again = omero.run("hosts", "plan", "p.yml", "--limit", "good,other", "--detailed-exitcode")
        alone = omero.run("hosts", "plan", "p.yml", "--limit", "gone")
    assert done.returncode == 5, done.stderr
    hosts = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}
    assert {name: host["state"] for name, host in hosts.items() if name not in PROBLEMS} == {
        "good": "changed", "other": "changed",
    }  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if line.startswith("omero: ")]
    for name, (state, words) in PROBLEMS.items():
        assert hosts[name]["state"] == state, name
        (line,) = [line for line in lines if line.startswith(f"omero: {name}: ")]
        assert words in line
    assert len(lines) == len(PROBLEMS)
    assert "wrong password" not in done.stdout + done.stderr
    assert (again.returncode, alone.returncode) == (0, 4)
