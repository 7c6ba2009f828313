"""Rendered sets: what readers see of them, and a rewrite that is killed at a chosen operation on files."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from omeroadmin.errors import AdminWarning
from omeroadmin.grid.rewrite import plan_rewrite
from omeroadmin.memory.strategies import memory_options
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost

PYTHON = "/opt/omero/bin/python"
CHANGES = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.truncate")
"""Audit events of operations that change files."""

Visible = dict[str, bytes]


def visible(instance: Instance) -> Visible:
    """Every file below etc that a reader may look for, by name; copies that were kept aren't among them."""
    found = {}
    for directory in (instance.etc, instance.grid_directory):
        for path in directory.iterdir():
            if path.is_file() and not path.name.startswith(".") and ".orig" not in path.name:
                found[path.relative_to(instance.etc).as_posix()] = path.read_bytes()
    return {name: content for name, content in found.items() if not name.startswith("grid/config.xml")}


def rewrite(instance: Instance, settings: Settings) -> None:
    """Render and replace."""
    plan = plan_rewrite(instance, settings, memory_options(settings, 16000), python=PYTHON)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AdminWarning)
        apply_plan(plan, LocalHost())


def killed_after(changes: int, action: Callable[[], None]) -> bool:
    """Do something in another process, which is killed as it is about to change files for the given time.

    :return: whether it was killed; else it had come to its end
    """
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the process failed by itself"
        return os.WIFSIGNALED(status)
    status = 1
    left = changes

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event not in CHANGES or (event == "open" and not _writes(arguments)):
            return
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(watch)
        action()
        status = 0
    finally:
        os._exit(status)


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2]
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def kept_copies(etc: Path) -> list[Path]:
    """Copies of what was changed by hand."""
    return sorted(path for path in etc.rglob("*.orig*") if ".rendered" not in path.parts)
