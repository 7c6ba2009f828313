"""Looks at test hosts while a roll-out is at work there: files that are half written, secrets that can be seen."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support.rollout_site import MEMBERS, SECRET, SECRET_FILES, contents, released
from tests.support.testhosts import SiteHost

_PAUSE = 0.01
_TEMPORARY = ".omeroadmin-new"


class Watch(threading.Thread):
    """Looks all the time; :attr:`faults` says what should not have been seen.

    :param versions: those that files may be of, whole
    """

    def __init__(self, hosts: Sequence[SiteHost], versions: Sequence[int]) -> None:
        super().__init__(daemon=True)
        self._hosts = hosts
        self._versions = versions
        self._wanted = [contents(version) for version in versions]
        self._stopped = threading.Event()
        self.faults: list[str] = []
        self.looks = 0

    def run(self) -> None:
        """Look until :meth:`stop`."""
        try:
            while not self._stopped.wait(_PAUSE):
                for host in self._hosts:
                    self._look(host)
                self.faults += _talkative_processes()
                self.looks += 1
        except Exception as error:
            self.faults.append(f"the watch itself: {error!r}")
            raise

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self.join()

    def _look(self, host: SiteHost) -> None:
        for path in self._wanted[0]:
            with contextlib.suppress(FileNotFoundError):
                content = (host.root / path).read_bytes()
                if all(content != wanted[path] for wanted in self._wanted):
                    self.faults.append(f"{host.name}: {path} is half written: {content[:60]!r}, {len(content)} bytes")
        for path in SECRET_FILES:
            file = host.root / path
            for seen in (file, file.with_name(f".{file.name}{_TEMPORARY}")):
                with contextlib.suppress(FileNotFoundError):
                    if seen.stat().st_mode & 0o077:
                        self.faults.append(f"{host.name}: others can read {seen.name}")
        for version in self._versions:
            place = host.root / f"opt/chaos/release{version}/lib"
            with contextlib.suppress(FileNotFoundError):
                members = [entry.read_bytes() for entry in place.iterdir()]
                if members != [released(version)] * MEMBERS:
                    self.faults.append(f"{host.name}: {place} has {len(members)} members")


@contextlib.contextmanager
def watching(hosts: Sequence[SiteHost], versions: Sequence[int]) -> Iterator[Watch]:
    """A watch; what it has seen fails the test."""
    watch = Watch(hosts, versions)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()
    assert watch.faults == [], "\n".join(watch.faults)
    assert watch.looks > 0, "it has seen nothing"


def _talkative_processes() -> list[str]:
    """Processes, the hosts' among them, with the secret in their arguments or variables."""
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        for name in ("cmdline", "environ"):
            with contextlib.suppress(OSError):
                if SECRET.encode() in Path(entry.path, name).read_bytes():
                    found.append(f"the secret is in {name} of {Path(entry.path, 'comm').read_text().strip()}")
    return found


def files_with_secret(*places: Path) -> set[str]:
    """Files below places that hold the secret, relative to the place."""
    found = set()
    for place in places:
        done = subprocess.run(
            ["grep", "--recursive", "--files-with-matches", "--text", "--fixed-strings", "--devices=skip", "--file=-",
             "."],
            input=f"{SECRET}\n", cwd=place, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        found |= {line.removeprefix("./") for line in done.stdout.splitlines()}
    return found


def left_behind(host: SiteHost) -> list[str]:
    """What a run must not leave on a host when all is done: temporaries, files that arrived, triggers."""
    names = ("*.omeroadmin-new*", "arrived")
    tests = [word for name in names for word in ("-o", "-name", name)][1:]
    places = [str(host.layer / place) for place in ("etc", "opt", "var/lib/omeroadmin", "srv", "home", "tmp")]
    found = subprocess.run(
        ["find", *(place for place in places if Path(place).exists()), *tests], capture_output=True, text=True,
        check=True, timeout=60,
    ).stdout.splitlines()  # fmt: skip
    with contextlib.suppress(FileNotFoundError):
        pending = (host.root / "var/lib/omeroadmin/pending.json").read_text()
        found += [f"pending: {pending}"] if pending != "[]" else []
    return found
