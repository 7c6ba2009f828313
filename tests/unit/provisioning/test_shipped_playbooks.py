"""The package's own playbooks, with the facts of each distribution that they are for; nothing is connected to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.provisioning.rollout_choice import RolloutChoice, read_scope
from omeroadmin.provisioning.wishes import HostWork
from tests.support.checkout import ROOT
from tests.support.components import require_program

INVENTORY = """\
variables:
  omero_server_dbpassword: !env PASSWORD
  omero_web_application: true
  omero_web_setup_redis: true
groups: {databases: {hosts: db1}, servers: {hosts: omero1}, web: {hosts: web1}, workers: {hosts: worker1}}
hosts: {db1: {address: 10.0.0.1}, omero1: {address: 10.0.0.2}, web1: {address: 10.0.0.3}, worker1: {address: 10.0.0.4}}
"""
DISTRIBUTIONS = [
    ("debian", "12", "debian"), ("debian", "13", "debian"), ("ubuntu", "22.04", "debian"),
    ("ubuntu", "24.04", "debian"), ("rocky", "9.6", "redhat"), ("rhel", "9.6", "redhat"),
]  # fmt: skip
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


def base(distribution: str, version: str, family: str) -> dict[str, Any]:
    return {
        "hostname": "sample", "distribution": distribution, "version": version, "family": family, "systemd": True,
        "distribution_name": distribution, "architecture": "x86_64", "kernel": "6.1", "python": "3.11.2",
        "selinux": "enforcing" if family == "redhat" else "disabled", "memory_bytes": 16 << 30, "cpus": 8,
        "disk_bytes": 1 << 40, "user": "root", "time": 0,
    }  # fmt: skip


def works(directory: Path, playbook: str, facts: dict[str, Any]) -> list[HostWork]:
    (directory / "hosts.yml").write_text(INVENTORY)
    choice = RolloutChoice((str(ROOT / "playbooks" / f"{playbook}.yml"),), directory / "hosts.yml")
    scope = read_scope(choice, {"PASSWORD": "swordfish"})
    return [maker.make(host.host, given, facts) for host in scope.hosts for maker, given in host.makers]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS, ids=lambda found: " ".join(found[:2]))
@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbook_has_wishes_for_each_distribution(
    playbook: str, distribution: tuple[str, str, str], tmp_path: Path
) -> None:
    assert all(work.wishes for work in works(tmp_path, playbook, base(*distribution)))


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_unknown_distribution_is_one_line(playbook: str, tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        works(tmp_path, playbook, base("plan9", "4", ""))
    assert caught.value.code == "host-requirement"


def test_packages_and_services_of_web_hosts(tmp_path: Path) -> None:
    def named(*distribution: str) -> tuple[list[str], set[str]]:
        wishes = [wish for work in works(tmp_path, "web", base(*distribution)) for wish in work.wishes]
        packages = [name for wish in wishes if wish["kind"] == "package" for name in wish["names"]]
        return packages, {wish["name"] for wish in wishes if wish["kind"] == "service"}

    debian = ["nginx", "openssl", "redis-server"]
    assert named("debian", "12", "debian") == (
        [*debian, "python3", "python3-venv"],
        {"nginx", "redis-server", "omero-web"},
    )
    assert named("ubuntu", "22.04", "debian")[0] == [*debian, "python3.11", "python3.11-venv"]
    packages, services = named("rocky", "9.6", "redhat")
    assert packages == ["nginx", "openssl", "policycoreutils-python-utils", "redis", "python3.12"]
    assert services == {"nginx", "redis", "omero-web"}


def test_site_of_nginx_as_variables_say(tmp_path: Path) -> None:
    (work,) = works(tmp_path, "web", base("debian", "12", "debian"))
    (site,) = (wish["content"] for wish in work.wishes if wish["kind"] == "nginx-site")
    assert "    listen 443 default_server ssl;\n    server_name sample;\n" in site
    assert "[::]" not in site
    assert "${" not in site


def test_systemd_understands_the_units_of_all_playbooks(tmp_path: Path) -> None:
    analyze, units = require_program("systemd-analyze"), tmp_path / "units"
    units.mkdir()
    wishes = [
        wish for name in PLAYBOOKS for work in works(tmp_path, name, base(*DISTRIBUTIONS[0])) for wish in work.wishes
    ]
    for wish in wishes:
        if wish["kind"] == "unit":
            # It looks for the programs and files, which this machine doesn't have.
            program = re.sub(r"^(Exec\w+)=(-?)\S+", rf"\1=\2{sys.executable}", wish["content"], flags=re.MULTILINE)
            (units / wish["name"]).write_text(program)
    assert {path.name for path in units.iterdir()} >= {
        "omero-server.service", "omero-node.service", "omero-web.service", "omero-backup.service", "omero-backup.timer",
    }  # fmt: skip
    done = subprocess.run(
        [analyze, "verify", "--man=no", *sorted(units.iterdir())],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_scripts_of_init_pass_variables_on_and_are_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shellcheck = require_program("shellcheck")
    more = "variables:\n  omero_server_systemd_environment: {A_B: x y}\n"
    monkeypatch.setitem(globals(), "INVENTORY", INVENTORY.replace("variables:\n", more, 1))
    facts = {**base(*DISTRIBUTIONS[0]), "systemd": False}
    wishes = [wish for name in PLAYBOOKS for work in works(tmp_path, name, facts) for wish in work.wishes]
    scripts = {wish["path"]: wish["content"] for wish in wishes if str(wish.get("path")).startswith("/etc/init.d/")}
    assert set(scripts) == {"/etc/init.d/omero-server", "/etc/init.d/omero-node", "/etc/init.d/omero-web"}
    assert '"A_B=${A_B-}"' in scripts["/etc/init.d/omero-server"]
    for path, content in scripts.items():
        done = subprocess.run([shellcheck, "-"], input=content, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{path}: {done.stdout}"
