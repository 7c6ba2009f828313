"""The wheel holds what the program needs at run time, and finds it there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from omeroadmin import resources
from omeroadmin.errors import AdminError

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, unpacked."""
    directory = tmp_path_factory.mktemp("wheel")
    source = directory / "source"
    source.mkdir()
    for name in ("omeroadmin", "templates", "playbooks"):
        shutil.copytree(CHECKOUT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, source)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(source)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = directory.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(directory / "unpacked")
    return directory / "unpacked"


def test_templates_and_playbooks_are_in_the_wheel(wheel: Path) -> None:
    for name in ("templates", "playbooks"):
        wanted = {str(path.relative_to(CHECKOUT / name)) for path in (CHECKOUT / name).rglob("*") if path.is_file()}
        wanted = {path for path in wanted if "__pycache__" not in path}
        found = wheel / "omeroadmin" / f"_{name}"
        assert wanted
        assert {str(path.relative_to(found)) for path in found.rglob("*") if path.is_file()} == wanted


def test_the_wheel_finds_its_own_resources(wheel: Path) -> None:
    program = (
        "from omeroadmin.resources import templates_directory as t, playbooks_directory as p; print(t()); print(p())"
    )
    # Without coverage's variables: this copy of the package is not the one that is measured.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=wheel,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == [str(wheel / "omeroadmin" / "_templates"), str(wheel / "omeroadmin" / "_playbooks")]


def test_a_checkout_finds_its_own_resources() -> None:
    assert resources.templates_directory() == CHECKOUT / "templates"
    assert resources.playbooks_directory() == CHECKOUT / "playbooks"


def test_an_incomplete_installation_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "omeroadmin")
    with pytest.raises(AdminError, match="has no templates directory"):
        resources.templates_directory()
