"""The playbooks of the package come to sensible wishes on every distribution that they are for."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.provisioning.rollout_choice import RolloutChoice, Scope, read_scope

DISTRIBUTIONS = {
    "debian-12": ("debian", "12", "debian", "python3"),
    "debian-13": ("debian", "13", "debian", "python3"),
    "ubuntu-22.04": ("ubuntu", "22.04", "debian", "python3.11"),
    "ubuntu-24.04": ("ubuntu", "24.04", "debian", "python3"),
    "rocky-9": ("rocky", "9.5", "redhat", "python3.12"),
    "rhel-9": ("rhel", "9.4", "redhat", "python3.12"),
}
HOSTS = """\
variables: {omero_server_dbpassword: !env WORD}
groups:
  databases: {hosts: db1}
  servers: {hosts: omero1}
  workers: {hosts: [node1, node2]}
  web: {hosts: web1, variables: {omero_web_application: true, omero_web_setup_redis: true}}
hosts:
  db1: {address: 10.0.0.4}
  omero1: {address: 10.0.0.5}
  node1: {address: 10.0.0.6}
  node2: {address: 10.0.0.7}
  web1: {address: 10.0.0.8}
"""


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    (tmp_path / "hosts.yml").write_text(HOSTS)
    return read_scope(RolloutChoice(("site.yml",), tmp_path / "hosts.yml"), {"WORD": "swordfish"})


def base(distribution: str, *, systemd: bool) -> dict[str, Any]:
    name, version, family, _ = DISTRIBUTIONS[distribution]
    return {
        "distribution": name, "version": version, "family": family, "systemd": systemd, "memory_bytes": 16 << 30,
        "selinux": "enforcing" if family == "redhat" else "disabled", "hostname": "h", "fqdn": "h.example.org",
        "cpus": 4, "architecture": "x86_64", "python": "3.9.18", "user": "root", "init": "",
    }  # fmt: skip


def wishes(scope: Scope, host: str, facts: dict[str, Any]) -> list[dict[str, Any]]:
    rollout = next(one for one in scope.hosts if one.name == host)
    return [wish for maker, given in rollout.makers for wish in maker.make(rollout.host, given, facts).wishes]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("systemd", [True, False], ids=["systemd", "init"])
def test_every_host_gets_wishes(scope: Scope, distribution: str, systemd: bool) -> None:
    facts = base(distribution, systemd=systemd)
    made = {host: wishes(scope, host, facts) for host in ("db1", "omero1", "node1", "web1")}
    packages = {
        host: [name for wish in found if wish["kind"] == "package" for name in wish["names"]]
        for host, found in made.items()
    }
    assert DISTRIBUTIONS[distribution][3] in packages["omero1"]
    assert ("postgresql-server" in packages["db1"]) == (DISTRIBUTIONS[distribution][2] == "redhat")
    kinds = {wish["kind"] for found in made.values() for wish in found}
    assert {"database-role", "omero-config", "virtualenv", "service", "unit", "certificate", "nginx-site"} <= kinds
    scripts = [wish for found in made.values() for wish in found if wish.get("path", "").startswith("/etc/init.d/")]
    assert bool(scripts) == (not systemd)


def test_a_grid_is_made_of_the_workers(scope: Scope) -> None:
    facts = base("debian-12", systemd=True)
    [server] = [wish for wish in wishes(scope, "omero1", facts) if "omero.db.host" in wish.get("set", {})]
    [worker] = [wish for wish in wishes(scope, "node2", facts) if wish["kind"] == "omero-config"]
    assert server["set"]["omero.db.host"] == "10.0.0.4"
    assert server["set_secret"] == {"omero.db.pass": "swordfish"}
    assert server["set"]["omero.grid.hosts"] == "node1=10.0.0.6 node2=10.0.0.7"
    assert server["set"]["omero.server.nodedescriptors"].endswith("Tables-0 node1:Processor-0 node2:Processor-1")
    assert worker["set"]["omero.grid.hosts"] == server["set"]["omero.grid.hosts"]
    assert worker["set"]["omero.master.host"] == "10.0.0.5"


def test_the_database_lets_the_servers_in_and_is_sized_by_the_memory(scope: Scope) -> None:
    made = wishes(scope, "db1", base("debian-12", systemd=True))
    [rules] = [wish["lines"] for wish in made if wish["kind"] == "database-hba"]
    assert rules == ["host omero omero 10.0.0.5 scram-sha-256"]
    [settings] = [wish["set"] for wish in made if wish["kind"] == "database-settings" and wish["set"]]
    assert settings["shared_buffers"] == "4096MB"
    assert settings["max_connections"] == "150"


@pytest.mark.parametrize("playbook", ["server.yml", "upgrade-server.yml"])
def test_a_distribution_is_unpacked_and_linked(tmp_path: Path, playbook: str) -> None:
    archive = tmp_path / "OMERO.server-5.6.17-ice36.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("OMERO.server-5.6.17-ice36/etc/omero.properties", "")
    (tmp_path / "hosts.yml").write_text(
        HOSTS.replace("variables: {", f"variables: {{omero_server_archive: {archive}, ")
    )
    scope = read_scope(RolloutChoice((playbook,), tmp_path / "hosts.yml"), {"WORD": "swordfish"})
    made = wishes(scope, "omero1", base("debian-12", systemd=True))
    places = {wish["kind"]: wish for wish in made if wish["kind"] == "archive"}
    assert places["archive"]["path"] == "/opt/omero/server/OMERO.server-5.6.17-ice36"
    links = {wish["path"]: wish["target"] for wish in made if wish["kind"] == "link"}
    assert links["/opt/omero/server/OMERO.server"] == "OMERO.server-5.6.17-ice36"
    commands = [wish["arguments"] for wish in made if wish["kind"] == "command"]
    assert [words for words in commands if words[-3:-1] == ["db", "init"] or words[-3:-1] == ["db", "upgrade"]]
