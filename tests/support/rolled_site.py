"""A site that `omero hosts` rolls out on test hosts: a database, a server, a worker and a web host."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.runtime.kernel.client import UnixConnection
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.support.liveserver import Api
from tests.support.testhosts import Site, running_hosts

DATABASE, SERVER, WORKER, WEB = "db1", "omero1", "node1", "web1"
GROUPS = {"databases": [DATABASE], "servers": [SERVER], "workers": [WORKER], "web": [WEB]}
PROGRAM = "/opt/omero/server/venv3/bin/omero"
OMERODIR = "/opt/omero/server/OMERO.server"
SECRETS = {"omero_server_dbpassword": "the database's word", "omero_server_rootpassword": "root's own word"}
_SETTINGS = {"postgresql_memory": "512M", "omero_backup_jitter": 0}
_ALIVE = ("var/log", "var/lib/postgresql", "opt/omero/server/OMERO.server/var", "OMERO", "root", "home", "var/cache")
"""What services write by themselves, whoever looks."""


@dataclass(frozen=True)
class RolledSite:
    """The hosts, and the command line that looks after them.

    :param directory: of the inventory
    """

    hosts: Site
    directory: Path

    def run(self, *arguments: str, timeout: float = 400) -> subprocess.CompletedProcess[str]:
        """Run ``omero hosts``, whatever its status."""
        return subprocess.run(
            [sys.executable, "-m", "omeroadmin", "hosts", *arguments], cwd=self.directory, capture_output=True,
            env=self.hosts.environment, text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def ok(self, *arguments: str, status: int = 0) -> str:
        """Run ``omero hosts``, which must end with a status.

        :return: its stdout
        """
        done = self.run(*arguments)
        assert done.returncode == status, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def plan(self, *arguments: str) -> dict[str, list[dict[str, Any]]]:
        """Changes that a plan shows, by host."""
        document = json.loads(self.ok("plan", *arguments, "--json"))
        assert not [host["problem"] for host in document["hosts"] if host["problem"]]
        return {host["host"]: host["changes"] for host in document["hosts"]}

    def words(self, *arguments: str) -> dict[str, list[str]]:
        """Words of the changes that a plan shows, by host; hosts without changes are left out."""
        return {host: [one["words"] for one in changes] for host, changes in self.plan(*arguments).items() if changes}

    def omero(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the toolkit of the server as its account."""
        return self.hosts[SERVER].run(PROGRAM, "--omerodir", OMERODIR, *arguments, account="omero-server", check=check)

    def job(self, path: str, **inputs: Any) -> dict[str, Any]:
        """Have a script run, and wait for its end."""
        instance = Instance(self.hosts[SERVER].root / OMERODIR.lstrip("/"))
        api = Api(UnixConnection(instance.run_directory / "Blitz-0.sock", 30))
        try:
            api.login(password=SECRETS["omero_server_rootpassword"])
            scripts = {one["path"]: one["id"] for one in api.call("GET", "/scripts").document["scripts"]}
            answer = api.call("POST", f"/scripts/{scripts[path]}/jobs", {"inputs": inputs})
            assert answer.status == 202, answer
            number = answer.document["job_id"]
            found: dict[str, Any] = {}

            def has_ended() -> bool:
                found.update(api.call("GET", f"/jobs/{number}").document)
                return found["status"] in {"Finished", "Error"}

            assert wait_until(has_ended, timeout=60), found
            return found
        finally:
            api.close()

    def files(self, *, quiet: bool = False) -> dict[str, str]:
        """What is on the disks of all hosts: by host and path, what is known of it.

        :param quiet: without what services write by themselves
        """
        return {
            f"{host.name}:{path}": words
            for host in self.hosts
            for path, words in host.changes().items()
            if not (quiet and any(path == place or path.startswith(f"{place}/") for place in _ALIVE))
        }


def provide_version(dist: Path, version: str, replaced: dict[str, str] | None = None) -> None:
    """Put the toolkit under another version beside the wheel that is there.

    :param replaced: text of files by their path in the wheel, to spoil it
    """
    built = min(dist.glob("omeroadmin-*.whl"))
    present = built.name.split("-")[1]
    target = dist / built.name.replace(present, version)
    with zipfile.ZipFile(built) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            text = (replaced or {}).get(name, "").encode() or source.read(name)
            if name.endswith(".dist-info/METADATA"):
                text = text.replace(f"\nVersion: {present}\n".encode(), f"\nVersion: {version}\n".encode(), 1)
            if name == "omeroadmin/version.py":
                text = text.replace(present.encode(), version.encode())
            made.writestr(name.replace(f"omeroadmin-{present}.", f"omeroadmin-{version}."), text)
        for name in {*(replaced or {})} - {*source.namelist()}:
            made.writestr(name, (replaced or {})[name])


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Paths that have changed."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


@contextmanager
def rolled_site(directory: Path, names: Sequence[str] = (DATABASE, SERVER, WORKER, WEB)) -> Iterator[RolledSite]:
    """Hosts on which nothing is yet, and their inventory.

    :param directory: of the test
    """
    with running_hosts(directory, names) as hosts:
        hosts.provide_omeroadmin()
        groups = {group: members for group, members in GROUPS.items() if set(members) <= set(names)}
        path = hosts.inventory(directory / "hosts.yml", groups, _SETTINGS)
        text = path.read_text()
        for name, value in SECRETS.items():
            secret = directory / name
            secret.touch(mode=0o600)
            secret.write_text(f"{value}\n")
            text = text.replace("variables:\n", f"variables:\n  {name}: !file {name}\n", 1)
        path.write_text(text)
        made = RolledSite(hosts, directory)
        # Debian's sudo leaves a file in the home of who uses it for the first time.
        made.ok("run", "--", "true")
        yield made
