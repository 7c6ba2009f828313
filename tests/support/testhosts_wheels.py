"""Python packages that test hosts can install without network."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.support.testhosts_parts import Part, command

_CHECKOUT = Path(__file__).resolve().parents[2]
_PYTHON = "3.11"
_GLIBC = 36
_SOURCE_ONLY = ("pyvips>=3",)
"""Pure Python without a wheel on PyPI."""
_MORE = ("gunicorn", "hatchling", "pip", "setuptools", "wheel")


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((_CHECKOUT / "pyproject.toml").read_text())["project"]
    return project


def _wanted() -> list[str]:
    project = _project()
    return sorted([*project["dependencies"], *project["optional-dependencies"]["tables"], *_MORE])


def _make_wheels(directory: Path) -> None:
    """For the hosts' Python, whatever runs here."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command(*pip, "wheel", "--no-deps", f"--wheel-dir={directory}", *_SOURCE_ONLY)
    machine = platform.machine()
    names = (
        "manylinux1",
        "manylinux2010",
        "manylinux2014",
        *(f"manylinux_2_{minor}" for minor in range(5, _GLIBC + 1)),
    )
    platforms = [f"--platform={name}_{machine}" for name in names]
    command(*pip, "download", f"--dest={directory}", f"--find-links={directory}", "--only-binary=:all:",
            f"--python-version={_PYTHON}", "--implementation=cp", *platforms, *_wanted())  # fmt: skip


OFFERED_WHEELS = Part("wheels", {"python": _PYTHON, "wanted": _wanted(), "source": _SOURCE_ONLY}, _make_wheels)


def build_wheel(directory: Path) -> Path:
    """Build the checkout's own wheel, without network and without touching the checkout.

    :return: the wheel, in the directory
    """
    source = directory / ".source"
    for name in ("omeroadmin", "templates", "playbooks"):
        shutil.copytree(_CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(_CHECKOUT / name, source)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", f"--outdir={directory}", str(source)]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    shutil.rmtree(source)
    (built,) = directory.glob("omeroadmin-*.whl")
    return built
