"""Roll-outs to test hosts as a user starts them: ``omero hosts`` as a process, with a playbook of many kinds."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.support.testhosts import Site

SECRET = "Zaunkoenig-58213"
MEMBERS = 30
PLAYBOOK = """\
playbook: many
title: Operations of many kinds
hosts: all
variables:
  version: {type: integer, default: 0, description: What is in all that is written.}
  token: {secret: true, required: true, description: What nobody sees.}
stages:
  - stage: ground
    operations:
      - group: {name: chaos, gid: 7100}
      - user: {name: chaos, uid: 7100, group: chaos, home: /srv/chaos, shell: "/bin/{{ ['sh', 'bash'][version % 2] }}"}
      - directory: {path: /opt/chaos, owner: chaos, group: chaos, mode: "{{ ['0755', '0750'][version % 2] }}"}
      - directory: {path: "/opt/chaos/made{{ version }}/in/it"}
      - archive: {source: "{{ version }}.tar", path: "/opt/chaos/release{{ version }}", owner: chaos}
      - link: {path: /opt/chaos/current, target: "release{{ version }}"}
      - command:
          arguments: [sh, -c, "sleep 0.2; cd /opt/chaos; echo {{ version }} > .new; mv .new ran{{ version }}"]
          creates: "/opt/chaos/ran{{ version }}"
      - wait-for: {path: "/opt/chaos/ran{{ version }}"}
  - stage: files
    operations:
      - file: {path: /etc/chaos.small, content: "{{ (version ~ ' ') * 4000 }}", mode: "06{{ version % 5 }}0"}
      - file: {path: /etc/chaos.large, source: "{{ version }}.bin"}
      - file: {path: /etc/chaos.secret, content: "{{ token }} {{ version }}\\n", owner: chaos}
      - line: {path: /etc/chaos.netrc, line: "password {{ token }}{{ version }}", match: ^password, create: true}
      - file: {path: "/etc/chaos.each{{ item }}", content: "{{ item }} of {{ version }}\\n"}
        for_each: [1, 2, 3]
      - file: {path: /etc/chaos.gone, content: "here\\n"}
        when: version % 2
      - file: {path: /etc/chaos.gone, state: absent}
        when: version % 2 == 0
      - line: {path: /etc/login.defs, line: "# chaos {{ version }}", match: ^# chaos}
      - block: {path: /etc/services, name: chaos, content: "chaos 7100/tcp\\nchaos{{ version }} 7101/tcp"}
      - cron: {name: chaos, schedule: "{{ version % 60 }} 4 * * *", user: chaos, command: /bin/true}
      - limits: {name: chaos, domain: chaos, values: {nofile: "{{ 4096 + version }}"}}
      - sysctl: {name: 60-chaos, values: {vm.swappiness: "{{ version % 100 }}"}, live: false}
      - unit: {name: chaos.service, content: "[Service]\\nExecStart=/bin/echo {{ version }}\\n", verify: false}
      - command: {arguments: [sh, -c, "sha256sum > /etc/.chaos.new && mv /etc/.chaos.new /etc/chaos.sum{{ version }}"],
                  input: "{{ token }}", creates: "/etc/chaos.sum{{ version }}"}
  - stage: service
    operations:
      - file: {path: /etc/init.d/chaosd, source: chaosd, mode: '0755'}
      - service: {name: chaosd, state: started, enabled: true}
      - file: {path: /etc/chaosd.conf, content: "{{ version }}\\n"}
        triggers: restart-chaosd
      - package: {names: [tree], state: "{{ ['present', 'absent'][version // 3 % 2] }}"}
      - directory: {path: /srv/last, mode: "{{ ['0711', '0700'][version % 2] }}"}
        triggers: [note, restart-chaosd]
      - id: restart-chaosd
        service: {name: chaosd, state: restarted}
      - id: note
        command: {arguments: [sh, -c, "cat /etc/chaosd.conf >> /var/lib/chaos.notes"]}
"""
"""With another version, nearly all of it has something to do."""
DAEMON = """\
#!/bin/sh
### BEGIN INIT INFO
# Provides: chaosd
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: Notes with which configuration it was started
### END INIT INFO
running() { test -s /run/chaosd.pid && kill -0 "$(cat /run/chaosd.pid)" 2> /dev/null; }
stop() { running && kill "$(cat /run/chaosd.pid)"; rm -f /run/chaosd.pid; }
start() {
    running && return
    setsid sleep 100000 > /dev/null 2>&1 < /dev/null &
    echo $! > /run/chaosd.pid
    cat /etc/chaosd.conf >> /var/lib/chaosd.starts 2> /dev/null || true
}
case $1 in
    start) start ;;
    stop) stop ;;
    restart) stop; start ;;
    status) running || exit 3 ;;
esac
"""
SECRET_FILES = {"etc/chaos.secret", "etc/chaos.netrc"}
"""The files that are to hold the secret."""


def contents(version: int) -> dict[str, bytes]:
    """What files hold with a version, by path."""
    texts = {
        "etc/chaos.small": f"{version} " * 4000,
        "etc/chaos.secret": f"{SECRET} {version}\n",
        "etc/chaos.netrc": f"password {SECRET}{version}\n",
        **{f"etc/chaos.each{item}": f"{item} of {version}\n" for item in (1, 2, 3)},
        "etc/chaosd.conf": f"{version}\n",
        "etc/systemd/system/chaos.service": f"[Service]\nExecStart=/bin/echo {version}\n",
    }
    return {"etc/chaos.large": large(version), **{path: text.encode() for path, text in texts.items()}}


def large(version: int) -> bytes:
    """A file that isn't text."""
    return bytes([0, 200 + version % 50, version % 256]) * 200_000


def released(version: int) -> bytes:
    """Content of each member of the archive."""
    return bytes([version % 256]) * 3000


@dataclass
class Controller:
    """The machine from which hosts are managed.

    :param directory: where ``omero`` is called
    """

    site: Site
    directory: Path

    def prepare(self, secret: str = SECRET) -> None:
        """Playbook, sources and inventory; the secret comes by a file."""
        (self.directory / "many.yml").write_text(PLAYBOOK)
        (self.directory / "chaosd").write_text(DAEMON)
        token = self.directory / "token"
        token.write_text(f"{secret}\n")
        token.chmod(0o600)
        self.write_inventory()

    def write_inventory(self, hosts: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """The site's hosts, with more keys of some."""
        path = self.site.inventory(self.directory / "hosts.yml", hosts=hosts)
        path.write_text(path.read_text() + "variables: {token: !file token}\n")

    def provide(self, version: int) -> None:
        """Make the sources of a version."""
        (self.directory / f"{version}.bin").write_bytes(large(version))
        with tarfile.open(self.directory / f"{version}.tar", "w") as archive:
            for number in range(MEMBERS):
                member = tarfile.TarInfo(f"lib/{number}")
                member.size = len(released(version))
                archive.addfile(member, BytesIO(released(version)))

    @property
    def environment(self) -> dict[str, str]:
        """Variables of the process."""
        temporary = self.directory / "tmp"
        temporary.mkdir(exist_ok=True)
        passed = {name: value for name, value in os.environ.items() if name.startswith(("COVERAGE", "LANG", "LC_"))}
        return {**passed, "PATH": os.environ["PATH"], "HOME": str(self.site.home), "TMPDIR": str(temporary)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``omero hosts``."""
        return subprocess.Popen(
            [sys.executable, "-m", "omeroadmin", "hosts", *arguments],
            cwd=self.directory, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments: str, status: int | None = 0, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run ``omero hosts`` to its end.

        :param status: that it must end with; ``None``: any
        :param timeout: in seconds
        """
        process = self.start(*arguments)
        return self.ended(process, *arguments, status=status, timeout=timeout)

    @staticmethod
    def ended(
        process: subprocess.Popen[str], *arguments: str, status: int | None = 0, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Wait for the end of a process."""
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            raise AssertionError(f"{arguments} doesn't end in {timeout} s\n{output}\n{errors}") from None
        assert "Traceback" not in errors, errors
        assert "bug" not in errors, errors
        if status is not None:
            assert process.returncode == status, f"{arguments}: {process.returncode}\n{output}\n{errors}"
        return subprocess.CompletedProcess(arguments, process.returncode, output, errors)


def problems(errors: str) -> dict[str, list[str]]:
    """Lines of stderr that say what is wrong, by host."""
    found: dict[str, list[str]] = {}
    for line in errors.splitlines():
        if line.startswith("omero: "):
            found.setdefault(line.split(": ")[1], []).append(line)
    return found
