"""OMERO's own `omero/config.py`, beside which ours is tested and measured.

The package `omero` around it needs Ice and is never imported: the module is loaded by its path, from a directory that
is on nobody's search path (see contrib/setup/venv.sh).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PEERS = Path(sys.prefix, "peers")
"""Where the test environment keeps packages that must not meddle with ours."""


def missing_reason() -> str | None:
    """Why the peer can't be used here; ``None`` where it can."""
    if not PEERS.joinpath("omero", "config.py").is_file():
        return f"omero-py is not in {PEERS} (contrib/setup/venv.sh .venv-test test)"
    if importlib.util.find_spec("portalocker") is None:
        return "portalocker, which omero-py needs, is not installed"
    return None


@cache
def config_module() -> ModuleType:
    """The module ``omero/config.py``."""
    if "omero_ext" not in sys.modules:
        _load("omero_ext", PEERS / "omero_ext" / "__init__.py")
    return _load("omero_config_of_omero_py", PEERS / "omero" / "config.py")


def require_config_module() -> ModuleType:
    """The module ``omero/config.py``; else the test is skipped, or fails where OMERO_TEST_REQUIRE_ALL is 1."""
    reason = missing_reason()
    if reason is None:
        return config_module()
    if os.environ.get("OMERO_TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    print(f"skipped: {reason}")
    pytest.skip(reason)


def _load(name: str, file: Path) -> ModuleType:
    package = [str(file.parent)] if file.name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=package)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def opened(config_xml: Path, profile: str | None = None, *, read_only: bool = False) -> Iterator[Any]:
    """The peer's view of a file, with its lock, saved and closed at the end.

    :param profile: what ``OMERO_CONFIG`` names meanwhile
    :param read_only: without the lock, and nothing is saved
    """
    with pytest.MonkeyPatch.context() as patch:
        if profile is None:
            patch.delenv("OMERO_CONFIG", raising=False)
        else:
            patch.setenv("OMERO_CONFIG", profile)
        config = config_module().ConfigXml(str(config_xml), read_only=read_only)
        try:
            yield config
        finally:
            config.close()


def read_all(config_xml: Path) -> tuple[str, dict[str, dict[str, str]]]:
    """What the peer reads: the active profile, and all profiles in the file's order, without the file's own keys."""
    with opened(config_xml, read_only=True) as config:
        profiles = {name: config.props_to_dict(block) for name, block in config.properties(None, True)}
        for values in profiles.values():
            for own in config.IGNORE:
                values.pop(own, None)
        return config.default(), profiles
