"""Cables cut and processes killed in the middle of a roll-out: the next apply completes it, and nothing is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from omeroadmin.system.clock import monotonic, wait_until
from tests.support.rollout_blows import agents, signal_all, ssh_sessions
from tests.support.rollout_site import SECRET_FILES, Controller, contents
from tests.support.rollout_watch import files_with_secret, left_behind, watching
from tests.support.rounds import rounds
from tests.support.testhosts import SiteHost, running_hosts

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: it makes namespaces"),
]
ROUNDS = 8
MARKS = (
    "", "opt/chaos/made", "opt/chaos/release", "opt/chaos/ran", "etc/chaos.small", "etc/chaos.large",
    "etc/chaos.secret", "etc/chaos.each2", "etc/systemd/system/chaos.service", "etc/chaos.sum", "etc/chaosd.conf",
)  # fmt: skip
"""How far a roll-out has come when something happens to it."""
PATIENCE = 100.0
"""Seconds in which the apply after a blow has to be through, whatever it has to wait for."""


@dataclass
class Bench:
    """Hosts and whoever manages them.

    :param version: that is on all hosts
    :param before: seconds that an undisturbed apply takes until it changes something
    :param asked: the version that was asked for last
    """

    controller: Controller
    hosts: list[SiteHost]
    version: int = 0
    before: float = 0.0
    asked: int = -1

    def wish(self, version: int) -> tuple[str, ...]:
        """Arguments for a version."""
        self.asked = version
        self.controller.provide(version)
        return ("apply", "many.yml", "--yes", "--detailed-exitcode", "--set", f"version={version}")

    def await_work(
        self, host: SiteHost, mark: str = "opt/chaos/made", process: subprocess.Popen[str] | None = None
    ) -> None:
        """Wait until the version that was asked for last has come to a host as far as a mark.

        :param mark: a file, or the beginning of a name that ends with the version
        :param process: what needn't be waited for any more when it has ended
        """
        content = contents(self.asked).get(mark)
        path = host.root / (mark if content else f"{mark}{self.asked}")

        def has_come() -> bool:
            if process is not None and process.poll() is not None:
                return True
            return path.exists() and (content is None or path.read_bytes() == content)

        assert wait_until(has_come, timeout=60, first_pause=0.005, longest_pause=0.005), mark

    def complete(self, version: int, disturbed: str) -> None:
        """The next apply completes the version, and the one after has nothing to do."""
        wish = self.wish(version)
        done = self.controller.run(*wish, status=None, timeout=PATIENCE)
        assert done.returncode in (0, 8), f"after {disturbed}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        again = self.controller.run(*wish, status=None)
        assert again.returncode == 0, f"after {disturbed}, once more: {again.stdout}\n{again.stderr}"
        self.version = version
        for host in self.hosts:
            assert left_behind(host) == [], f"{host.name} after {disturbed}"
            for path, content in contents(version).items():
                assert (host.root / path).read_bytes() == content, f"{host.name}: {path} after {disturbed}"
            assert (host.root / "opt/chaos/current").readlink() == Path(f"release{version}")
            # What was triggered has happened, with what is there now.
            for notes in ("chaosd.starts", "chaos.notes"):
                last = (host.root / "var/lib" / notes).read_text().split()[-1]
                assert last == str(version), f"{host.name}: {notes} after {disturbed}"
        self.require_no_secrets(disturbed)

    def require_no_secrets(self, disturbed: str) -> None:
        """It is where it should be and nowhere else."""
        for host in self.hosts:
            found = files_with_secret(host.layer, host.root / "run")
            assert found == SECRET_FILES, f"{host.name} after {disturbed}"
        places = (self.controller.site.home, self.controller.directory)
        assert files_with_secret(*places) == {"token"}, disturbed


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    directory = tmp_path_factory.mktemp("cut")
    (directory / "controller").mkdir()
    with running_hosts(directory, ["a", "b"]) as site:
        controller = Controller(site, directory / "controller")
        controller.prepare()
        bench = Bench(controller, list(site))
        controller.run(*bench.wish(0), status=8)
        began = monotonic()
        process = controller.start(*bench.wish(1))
        bench.await_work(bench.hosts[0])
        bench.before = monotonic() - began
        controller.ended(process, status=8)
        bench.version = 1
        yield bench


Blow = Callable[[subprocess.Popen[str], SiteHost], None]


def kill_controller(process: subprocess.Popen[str], host: SiteHost) -> None:
    process.kill()


def kill_agent(process: subprocess.Popen[str], host: SiteHost) -> None:
    signal_all(agents(host), signal.SIGKILL)


def kill_ssh_session(process: subprocess.Popen[str], host: SiteHost) -> None:
    signal_all(ssh_sessions(host), signal.SIGKILL)


def cut_for_a_moment(process: subprocess.Popen[str], host: SiteHost) -> None:
    """The connection outlives that."""
    host.link("down")
    threading.Event().wait(0.5)
    host.link("up")


def cut_and_kill_controller(process: subprocess.Popen[str], host: SiteHost) -> None:
    """The host hears of the end when the cable is in again."""
    host.link("down")
    process.kill()
    process.wait()
    host.link("up")


def cut_power(process: subprocess.Popen[str], host: SiteHost) -> None:
    host.kill()
    host.start()
    host.wait()


BLOWS: tuple[Blow, ...] = (
    kill_controller, kill_agent, kill_ssh_session, cut_for_a_moment, cut_and_kill_controller, cut_power,
)  # fmt: skip


@pytest.mark.timeout(60 + 30 * rounds(ROUNDS))
def test_at_any_moment(bench: Bench) -> None:
    broken = 0
    for number in range(rounds(ROUNDS)):
        chance = random.Random(number)
        blow, host = BLOWS[number % len(BLOWS)], chance.choice(bench.hosts)
        version = bench.asked + 1
        wish = bench.wish(version)
        mark = chance.choice(MARKS)
        moment = chance.uniform(0, 0.1 if mark else bench.before)
        words = f"round {number}, {blow.__name__} of {host.name} {moment:.2f} s after {mark or 'its beginning'}"
        with watching(bench.hosts, (bench.version, version)):
            process = bench.controller.start(*wish)
            if mark:
                bench.await_work(host, mark, process)
            threading.Event().wait(moment)
            blow(process, host)
            done = bench.controller.ended(process, *wish, status=None, timeout=PATIENCE)
            broken += done.returncode not in (0, 8)
            assert done.returncode in (0, 4, 5, 8, -9), f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            bench.complete(version, f"{words} ({done.returncode}: {done.stderr.strip()})")
        print(f"{words}: {done.returncode} {done.stderr.splitlines()[:1]}")
    assert broken > 0


def test_a_controller_that_is_gone_without_a_word(bench: Bench) -> None:
    """The agent waits for it for some time; the next run waits for the agent, and is not turned away."""
    version, host = bench.asked + 1, bench.hosts[0]
    process = bench.controller.start(*bench.wish(version))
    bench.await_work(host)
    silenced = ssh_sessions(host)
    signal_all(silenced, signal.SIGSTOP)
    try:
        process.kill()
        process.communicate(timeout=20)
        assert agents(host)
        bench.complete(version, "a controller without power")
    finally:
        signal_all(silenced, signal.SIGKILL)


def test_a_host_that_is_cut_off(bench: Bench) -> None:
    """The controller gives it up and says so; the others go on."""
    version, host = bench.asked + 1, bench.hosts[0]
    wish = bench.wish(version)
    process = bench.controller.start(*wish)
    bench.await_work(host)
    host.link("down")
    try:
        done = bench.controller.ended(process, *wish, status=5)
    finally:
        host.link("up")
    assert f"omero: {host.name}: " in done.stderr
    assert f"{bench.hosts[1].name}: changed" in done.stdout
    bench.complete(version, "a cut")
