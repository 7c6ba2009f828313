"""Roll-outs to hosts made for it: ours beside Ansible and pyinfra, same hosts, same end state."""

from __future__ import annotations

import contextlib
import hashlib
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.benchmarks.rollout_tools import SITE, Ansible, Omero, Pyinfra, Tool, tools, versions
from tests.support.testhosts import Site, SiteHost, running_hosts
from tests.support.testhosts_prepare import main as prepare

HOSTS = 8
GROWTH = (1, 2, 4, 8, 16)
GOALS = {Ansible.name: 10.0, Pyinfra.name: 2.0}
"""How many times as long as ours a run without changes must take on 8 hosts."""
GOAL_OVERHEAD = 1 / 3
"""How much of Ansible's time beyond the installations ours may take, on new hosts."""
_PACKAGES = re.search(r"package: \{names: \[(.+)\]", (SITE / "ours.yml").read_text())
_MADE = (
    "OMERO", "OMERO/.ready", "OMERO/ManagedRepository", "OMERO/log", "etc/bash.bashrc", "etc/cron.d/omero-backup",
    "etc/group", "etc/login.defs", "etc/logrotate.d/omero", "etc/omero.conf", "etc/passwd", "etc/profile.d/omero.sh",
    "etc/redis/redis.conf", "etc/security/limits.d/omero.conf", "etc/sysctl.d/60-omero.conf", "opt/omero",
    "opt/omero/server", "opt/omero/server/config", "opt/omero/server/config/00-omero-server.omero",
    "opt/omero/server/data",
)  # fmt: skip
"""All that the roll-out writes, beyond the packages' own files."""


def measure_rollout(directory: Path, rounds: int, *, peers: bool = True) -> bool:
    """Measure, print the tables.

    :param rounds: runs of each program; medians count
    :param peers: whether to measure others' programs, too
    :return: whether the goals are met
    """
    if prepare() != 0:
        return False
    measured, missing = tools(peers=peers)
    print("\n".join([*missing, *filter(None, [versions(measured)])]), flush=True)
    with _site(max(GROWTH), measured) as site:
        met = _measure_unchanged(site, measured, rounds)
    print(flush=True)
    return _measure_first(measured, rounds) and met


@contextlib.contextmanager
def _site(size: int, measured: Sequence[Tool]) -> Iterator[Site]:
    """New hosts, with what Ansible needs to be there so that it need not install it."""
    with tempfile.TemporaryDirectory(prefix="omr-") as short:
        directory = Path(short)
        with running_hosts(directory, [f"host{number}" for number in range(1, size + 1)]) as site:
            for tool in measured:
                tool.prepare(site, directory)
            _on_all(site, lambda host: host.run("apt-get", "-q", "-y", "install", "python3-apt"))
            yield site


def _on_all(site: Site, action: Callable[[SiteHost], object]) -> None:
    with ThreadPoolExecutor(len(site.hosts)) as pool:
        list(pool.map(action, site))


def _measure_unchanged(site: Site, measured: Sequence[Tool], rounds: int) -> bool:
    """Ours makes the hosts what they are to be; then nobody finds anything to change."""
    names = list(site.hosts)
    assert measured[0].apply(site, names).changed
    times: dict[tuple[str, int], list[float]] = {}
    order = list(measured)
    for number in range(rounds + 1):
        for size in GROWTH if number else GROWTH[:1]:
            for tool in order:
                done = tool.apply(site, names[:size])
                assert not done.changed, f"{tool.name} changes what the others left"
                if number:  # the first round only warms up
                    times.setdefault((tool.name, size), []).append(done.seconds)
        order.reverse()
    medians = {key: statistics.median(values) for key, values in times.items()}
    print(
        f"{'seconds without a change, on hosts:':<36}" + "".join(f"{size:>8}" for size in GROWTH) + "   ratio    goal"
    )
    met = True
    for tool in measured:
        ratio = medians[tool.name, HOSTS] / medians[Omero.name, HOSTS]
        goal = GOALS.get(tool.name, 0.0)
        met = met and ratio >= goal
        line = "".join(f"{medians[tool.name, size]:>8.2f}" for size in GROWTH)
        print(f"{tool.name:<36}{line} {ratio:>7.1f}" + (f" {goal:>7.1f}{_missed(ratio >= goal)}" if goal else ""))
    return met


def _measure_first(measured: Sequence[Tool], rounds: int) -> bool:
    """The first run on new hosts, beside the mere installation of the packages on all of them at the same time."""
    installing: list[float] = []
    times: dict[str, list[float]] = {tool.name: [] for tool in measured}
    states: dict[str, str] = {}
    order = list(measured)
    for _ in range(rounds):
        installing.append(_time_installation(measured))
        for tool in order:
            with _site(HOSTS, measured) as site:
                times[tool.name].append(tool.apply(site, list(site.hosts)).seconds)
                states |= {f"{tool.name} on {host.name}": _state(host) for host in site}
        order.reverse()
    assert len(set(states.values())) == 1, f"the hosts aren't the same: {states}"
    base = statistics.median(installing)
    over = {name: statistics.median(values) - base for name, values in times.items()}
    print(f"{f'seconds of the first run on {HOSTS} hosts':<36} {'in all':>9} {'beyond':>9} {'share':>7} {'goal':>7}")
    print(f"{'the installations alone':<36} {base:>9.2f}")
    share = over[Omero.name] / over[Ansible.name] if Ansible.name in over else 0.0
    for name, beyond in over.items():
        rest = f" {share:>7.2f} {GOAL_OVERHEAD:>7.2f}{_missed(share <= GOAL_OVERHEAD)}" if name == Omero.name else ""
        print(f"{name:<36} {base + beyond:>9.2f} {beyond:>9.2f}{rest}")
    return share <= GOAL_OVERHEAD


def _time_installation(measured: Sequence[Tool]) -> float:
    assert _PACKAGES is not None
    packages = _PACKAGES[1].split(", ")
    with _site(HOSTS, measured) as site:
        began = time.perf_counter()
        _on_all(site, lambda host: host.run("apt-get", "-q", "-y", "--no-install-recommends", "install", *packages))
        return time.perf_counter() - began


def _state(host: SiteHost) -> str:
    """A digest of what the roll-out made: types, modes, owners and contents; and the service runs."""
    host.run("service", "redis-server", "status")
    found = []
    for name in _MADE:
        path = host.root / name
        status = path.lstat()
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found.append((name, status.st_mode, status.st_uid, status.st_gid, content))
    return hashlib.sha256(repr(found).encode()).hexdigest()


def _missed(is_met: bool) -> str:
    return "" if is_met else "  MISSED"
