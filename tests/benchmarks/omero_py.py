"""Does what `omero config` of omero-py does, with omero-py's own code, as far as that goes without Ice.

``python -m tests.benchmarks.omero_py PEERS CONFIG_XML get|set|load ARGUMENT…`` runs the real ``PrefsControl`` of
``omero/plugins/prefs.py`` on the real ``ConfigXml``. What those import of the rest of omero-py, which needs Ice, are
empty stand-ins here; so the start of the full program is not in what this takes.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Any


class Context:
    """What a control prints through."""

    def out(self, text: str) -> None:
        """A line of the result."""
        sys.stdout.write(f"{text}\n")

    def err(self, text: str) -> None:
        """A line of talk."""
        sys.stderr.write(f"{text}\n")

    dbg = err

    def die(self, status: int, text: str) -> None:
        """The end."""
        sys.exit(f"{status}: {text}")


class Control:
    """In place of the class whose module needs Ice."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx


def load(name: str, file: Path) -> types.ModuleType:
    """Import a module by its path."""
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def stand_in(name: str, **members: object) -> types.ModuleType:
    """A module that holds no more than is asked of it."""
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, module)
    return module


def prefs_control(peers: Path) -> Any:
    """The control behind `omero config`."""
    sys.path.insert(0, str(peers))
    stand_in("omero")
    stand_in("omero.cli", CLI=None, BaseControl=Control, ExistingFile=None, NonZeroReturnCode=SystemExit)
    stand_in("omero.util", edit_path=None, get_omero_userdir=None)
    stand_in("omero.util.decorators", wraps=functools.wraps)
    stand_in("omero.util.upgrade_check", UpgradeCheck=None)
    stand_in("omero.java")
    load("omero.config", peers / "omero" / "config.py")
    return load("omero_prefs", peers / "omero" / "plugins" / "prefs.py").PrefsControl(Context())


def main() -> None:
    """Do one job."""
    peers, config_xml, verb, *rest = sys.argv[1:]
    control = prefs_control(Path(peers))
    if not os.path.exists(config_xml):  # noqa: PTH110 - as quick as can be
        Path(config_xml).touch()
    given = argparse.Namespace(source=config_xml, report=False, show_password=False, q=False, file=None)
    match verb:
        case "get":
            given.KEY = rest
        case "set":
            given.KEY, given.VALUE = rest
        case "load":
            given.file = [Path(rest[0]).open()]  # noqa: SIM115 - the control closes it
    getattr(control, verb)(given)


if __name__ == "__main__":
    main()
