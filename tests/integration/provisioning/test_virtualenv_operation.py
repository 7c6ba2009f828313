"""Virtual environments and pip, with wheels of a directory."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.agents import Worker
from tests.support.small_wheels import small_wheel


def test_environment_is_made_upgraded_taken_back_and_mended(local: Worker, tmp_path: Path) -> None:
    wheels, path = tmp_path / "wheels", tmp_path / "venv"
    wheels.mkdir()
    for version in ("1.0", "1.5"):
        small_wheel(wheels, "sample_one", version)
    other = small_wheel(wheels, "other", "1.0", "first = True\n")
    usual = {"path": str(path), "find_links": str(wheels), "options": ["--no-index", "--no-compile"]}
    first = local.wish("virtualenv", packages=["Sample.One==1.0", str(other)], **usual)
    assert local.apply(first) == [
        f"make the virtual environment {path} with python3", f"install 2 packages in {path}",
    ]  # fmt: skip
    assert local.apply(first) == []
    # A newer version comes, and goes again.
    second = local.wish("virtualenv", packages=["sample-one>=1.2", str(other)], **usual)
    assert local.apply(second) == [f"install 1 package in {path}"]
    assert local.facts("virtualenv", **{**usual, "packages": ["sample_one"]})["versions"] == {"sample-one": "1.5"}
    assert local.undo() == [f"gave {path} its earlier packages back"]
    assert local.facts("virtualenv", **{**usual, "packages": ["sample_one"]})["versions"] == {"sample-one": "1.0"}
    # Another build of the same version is another package.
    small_wheel(wheels, "other", "1.0", "second = True\n")
    assert local.apply(second) == [f"install 2 packages in {path}"]
    assert [found.read_text() for found in path.glob("lib/*/site-packages/other.py")] == ["second = True\n"]
    # What pip refuses changes nothing and is no interruption.
    error = local.failure(local.wish("virtualenv", packages=["nosuch"], **usual))
    assert error["code"] == "host-pip-failed"
    assert "No matching distribution found for nosuch" in error["message"]
    assert local.apply(second) == []
    # An interrupted run leaves a note; the next one makes it anew.
    [note] = (tmp_path / "home" / ".local" / "state" / "omeroadmin" / "virtualenvs").iterdir()
    note.write_text(json.dumps({**json.loads(note.read_text()), "unfinished": True}))
    assert local.apply(second)[0].endswith("anew: an earlier run was interrupted in it")
    assert local.apply(second) == []


def test_directory_with_something_else_stays(local: Worker, tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "thesis.txt").write_text("mine")
    error = local.failure(local.wish("virtualenv", path=str(tmp_path / "venv")))
    assert error["code"] == "host-not-a-virtualenv"
    assert (tmp_path / "venv" / "thesis.txt").read_text() == "mine"
