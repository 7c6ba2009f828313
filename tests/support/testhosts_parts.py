"""What test hosts are made of is made once for each machine and kept: a base, packages, wheels.

Root makes it before the tests, with network (``python -m tests.support.testhosts_prepare``); the tests have none.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

KEPT = Path(os.environ.get("OMERO_TEST_CACHE") or "/var/cache/omeroadmin-tests")
"""Where parts are kept from one run to the next."""
_UNUSED_SECONDS = 7 * 86_400


class CannotMake(Exception):  # noqa: N818
    """A part can't be made here; the text says why."""


@dataclass(frozen=True)
class Part:
    """Something that takes long to make.

    :param name: e.g. ``base``
    :param recipe: all that decides what it holds; another recipe makes another part
    :param make: fills a directory; raises :class:`CannotMake`
    """

    name: str
    recipe: Mapping[str, Any]
    make: Callable[[Path], None]

    @property
    def path(self) -> Path:
        """Where it is, once it is made."""
        text = json.dumps(self.recipe, sort_keys=True)
        return KEPT / f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def is_made(self) -> bool:
        """Whether it is there; it is either whole or not there at all."""
        return self.path.is_dir()

    def ensure(self) -> float:
        """Make it where it isn't there; one process at a time.

        :return: seconds that it took
        """
        KEPT.mkdir(parents=True, exist_ok=True)
        begun = time.monotonic()
        with (KEPT / f".{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.is_made:
                self._remove_old()
                unfinished = Path(tempfile.mkdtemp(prefix=f".{self.name}-", dir=KEPT))
                unfinished.chmod(0o755)
                try:
                    self.make(unfinished)
                    unfinished.rename(self.path)
                finally:
                    shutil.rmtree(unfinished, ignore_errors=True)
            os.utime(self.path)
        return time.monotonic() - begun

    def _remove_old(self) -> None:
        """Remove what another recipe made and nobody has asked for lately, and what was left half made."""
        for path in KEPT.glob(f".{self.name}-*"):
            shutil.rmtree(path, ignore_errors=True)
        for path in KEPT.glob(f"{self.name}-*"):
            if path.stat().st_mtime < time.time() - _UNUSED_SECONDS:
                shutil.rmtree(path, ignore_errors=True)


def require_part(part: Part) -> Path:
    """A part that the test can't do without.

    :return: its path; else the test is skipped, or fails where OMERO_TEST_REQUIRE_ALL is 1
    """
    if part.is_made:
        return part.path
    reason = f"{part.path} is missing: run python -m tests.support.testhosts_prepare as root, with network"
    if os.environ.get("OMERO_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    print(f"skipped: {reason}")
    pytest.skip(reason)


def command(*arguments: str | Path, timeout: float = 900, **more: Any) -> str:
    """Run a program that a part needs.

    :param timeout: in seconds
    :return: its stdout; :class:`CannotMake` with the end of its words where it fails
    """
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=timeout, check=False, **more)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CannotMake(f"{arguments[0]}: {problem}") from problem
    if done.returncode != 0:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise CannotMake(f"{' '.join(map(str, arguments))[:300]} failed with {done.returncode}:\n{words}")
    return str(done.stdout)
