"""What only looks changes nothing on any host, also on one that has never seen us; and who comes second is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.provisioning.operations.catalog import declarations
from tests.support.rollout_site import Controller, problems
from tests.support.testhosts import ADMIN, KEEPER, SiteHost, Wanted, running_hosts
from tests.support.testhosts_debian import SUDO_PASSWORD

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces"),
]
REST = """\
playbook: rest
title: The kinds that the other one leaves out
hosts: all
stages:
  - stage: programs
    operations:
      - package: [nginx-light, postgresql]
      - virtualenv: {path: /opt/venv, packages: [gunicorn]}
      - certificate: {path: /etc/ssl/rest.pem, key_path: /etc/ssl/private/rest.key}
      - nginx-site: {name: rest, content: "server { listen 8080; }\\n"}
      - firewall-port: 4064
      - selinux: {boolean: httpd_can_network_connect}
  - stage: database
    operations:
      - database-settings: {set: {shared_buffers: 64MB}}
      - database-role: {name: rest, password: "{{ 'x' * 20 }}"}
      - database: {name: rest, owner: rest}
      - database-hba: {lines: [host rest rest 10.0.0.5/32 scram-sha-256]}
      - omero-config: {set: {omero.data.dir: /OMERO}}
"""
LOCKING = """\
playbook: hold
title: Takes its time
hosts: all
stages:
  - stage: wait
    operations:
      - file: {path: /etc/begun, content: "x"}
      - wait-for: {path: /etc/end, timeout: 60, interval: 0.1}
      - command: {arguments: [rm, /etc/begun, /etc/end]}
"""


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    directory = tmp_path_factory.mktemp("untouched")
    home = directory / "controller"
    home.mkdir()
    with running_hosts(directory, ["new", Wanted("old", python="3.9"), "kept"]) as site:
        controller = Controller(site, home)
        controller.prepare()
        for version in (0, 1):
            controller.provide(version)
        (home / "rest.yml").write_text(REST)
        (home / "hold.yml").write_text(LOCKING)
        (home / "sudo").write_text(SUDO_PASSWORD)
        (home / "sudo").chmod(0o600)
        controller.write_inventory({"kept": {"user": KEEPER, "sudo_password": "PASSWORD"}})
        path = home / "hosts.yml"
        path.write_text(path.read_text().replace("PASSWORD", "!file sudo"))
        for host in site:
            for account in (ADMIN, KEEPER):
                # Debian's sudo notes there that it was used once.
                host.run("touch", f"/home/{account}/.sudo_as_admin_successful", account=account)
            # A Python that would like to compile its modules.
            for name in ("base64", "zipfile", "queue"):
                for compiled in host.root.glob(f"usr/lib/python3*/__pycache__/{name}.*.pyc"):
                    compiled.unlink()
        yield controller


def all_of(host: SiteHost) -> set[str]:
    """What has changed on the disk of a host, and what there is below /run and in shared memory."""
    # What follows -name each login writes; else nothing may appear there.
    left_out = ("-not", "-name", "sshd.log", "-not", "-name", "motd.dynamic", "-not", "-type", "d")
    found = host.run("find", "/run", "/dev/shm", *left_out, "-printf", "%p %M %u %s %T@\\n").stdout
    return {*found.splitlines(), *(f"{path}: {state}" for path, state in host.changes().items())}


def test_the_playbooks_have_all_kinds(controller: Controller) -> None:
    document = controller.run("plan", "many.yml", "rest.yml", "--limit", "new", "--json", status=0).stdout
    (host,) = json.loads(document)["hosts"]
    text = "".join((controller.directory / f"{name}.yml").read_text() for name in ("many", "rest"))
    assert [kind for kind in declarations() if f" {kind}:" not in text] == []
    assert host["operations"] > len(declarations())


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("facts",), 0),
        (("check",), 0),
        (("list",), 0),
        (("plan", "many.yml", "rest.yml", "--detailed-exitcode"), 8),
        (("plan", "many.yml", "rest.yml", "--out", "saved"), 0),
        (("diff", "many.yml", "rest.yml"), 0),
        (("apply", "many.yml", "rest.yml"), 2),
        (("undo", "20200101-000000-000000", "--yes"), 3),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_it_changes_nothing(controller: Controller, arguments: tuple[str, ...], status: int) -> None:
    before = {host.name: all_of(host) for host in controller.site}
    controller.run(*arguments, status=status)
    for host in controller.site:
        assert all_of(host) ^ before[host.name] == set(), host.name
        assert not Path(host.layer, "var/lib/omeroadmin").exists()


def test_it_changes_nothing_on_a_host_that_is_as_wished(controller: Controller) -> None:
    controller.run("apply", "many.yml", "--yes", "--limit", "new", status=0)
    new = controller.site["new"]
    before = all_of(new)
    for command in (("plan", "many.yml", "--detailed-exitcode"), ("diff", "many.yml"), ("facts",)):
        controller.run(*command, "--limit", "new", status=0)
        assert all_of(new) ^ before == set(), command


def test_who_comes_second_is_turned_away_from_hosts_at_work(controller: Controller) -> None:
    site = controller.site
    first = controller.start("apply", "hold.yml", "--yes", "--limit", "new,old")
    try:
        for name in ("new", "old"):
            site[name].run("sh", "-c", "until test -e /etc/begun; do sleep 0.1; done", timeout=30)
        second = controller.run("apply", "many.yml", "--yes", "--set", "version=1", "--json", status=6)
        hosts = {host["host"]: host for host in json.loads(second.stdout)["hosts"]}
        assert {name: host["state"] for name, host in hosts.items()} == {
            "new": "locked", "old": "locked", "kept": "changed",
        }  # fmt: skip
        (run,) = [one for one in json.loads(controller.run("report", "--list", "--json").stdout)["runs"]
                  if one["playbooks"] == ["hold"]]  # fmt: skip
        for name in ("new", "old"):
            problem = hosts[name]["problem"]
            assert problem["code"] == "host-locked"
            assert run["run"] in problem["message"]
            assert f"of {run['who']}, since " in problem["message"]
        controller.run("plan", "many.yml", "--limit", "new,old", "--detailed-exitcode", status=8)
        undo = controller.run("undo", run["run"], "--yes", status=6)
        assert set(problems(undo.stderr)) == {"new", "old"}
    finally:
        for name in ("new", "old"):
            site[name].run("touch", "/etc/end")
        controller.ended(first, status=0)
    controller.run("apply", "many.yml", "--yes", "--limit", "old", status=0)
