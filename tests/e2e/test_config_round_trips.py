"""A profile goes out in each language and comes back the same, through the installed `omero` and a shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from omeroadmin.profiles.store import read_profile, update_profile
from tests.support.profiles import INSTALLED, config_file, environment, installed

PROPERTIES = {
    "empty": "",
    "plain": "value",
    "my.text": "one\n  two\n\n# three \\\n",
    "odd": " é😀\t'\"`$HOME \\d\\ #!=: \u2028\x85",
    "dash": "-n --help",
    "yes": "no",
    "my_own.na_me": "0600",
    "omero.db.pass": "se'cr\\et\n$x",
    "omero.ldap.password": " s3cret \n",
    "my.password": "END\nEND_",
    "omero.mail.password": "",
    "omero.db.port": "many",
    "omero.web.apps": '["omero_figure"]',
    "big": "x" * 150_000,
}
IMPORTS = {
    "properties": 'omero config load --force "$COPY"',
    "yaml": 'omero config apply --force --format yaml "$COPY"',
    "json": 'omero config apply --force --format json "$COPY"',
    "commands": 'sh "$COPY"',
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config.xml with whatever may make trouble."""
    file = config_file(tmp_path / "from")
    update_profile(file, PROPERTIES)
    return file


def shell(file: Path, script: str, **extra: str) -> subprocess.CompletedProcess[str]:
    variables = environment(file, **extra)
    variables["PATH"] = f"{Path(INSTALLED).parent}:{variables['PATH']}"
    return subprocess.run(
        ["sh", "-euc", script], env=variables, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("form", IMPORTS)
def test_there_and_back(file: Path, tmp_path: Path, form: str) -> None:
    copy, other = tmp_path / "copy", config_file(tmp_path / "to")
    assert installed(file, "config", "export", "--format", form, "-o", str(copy)).returncode == 0
    done = shell(other, IMPORTS[form], COPY=str(copy))
    assert done.returncode == 0, done.stderr
    assert read_profile(other).values == PROPERTIES


def test_there_and_back_by_the_environment(file: Path, tmp_path: Path) -> None:
    update_profile(file, {}, remove=["big"])  # longer than any variable
    copy, other = tmp_path / "copy", config_file(tmp_path / "to")
    assert installed(file, "config", "export", "--format", "env", "-o", str(copy)).returncode == 0
    done = shell(other, 'set -a; . "$COPY"; omero config apply --from-env --force', COPY=str(copy))
    assert done.returncode == 0, done.stderr
    assert read_profile(other).values == {name: value for name, value in PROPERTIES.items() if name != "big"}


def test_edit(file: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/^plain=value/plain=other/" "$1"\n')
    editor.chmod(0o755)
    done = installed(file, "config", "edit", EDITOR=str(editor))
    assert (done.returncode, done.stdout, done.stderr) == (0, "~ plain: value -> other\n", "")
    assert read_profile(file).values == {**PROPERTIES, "plain": "other"}
