"""``omero admin rewrite`` as a command, on instances of both kinds."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.backups.parts import copy_configuration
from omeroadmin.grid.elements import known_targets
from omeroadmin.grid.icegrid.programs import NODE
from omeroadmin.schema.instance import Instance
from omeroadmin.system.clock import wait_until
from tests.support.grid import running_grid

SAMPLE = Path(__file__).resolve().parents[2] / "golden" / "grid" / "distribution"


def omero(instance: Instance, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "omeroadmin", *arguments],
        env={**os.environ, "OMERODIR": str(instance.omerodir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def contents(instance: Instance) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in instance.etc.rglob("*") if not path.name.endswith("lock")}


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    instance = Instance(tmp_path / "OMERO.server")
    instance.grid_directory.mkdir(parents=True)
    return instance


@pytest.fixture
def distribution(instance: Instance) -> Instance:
    shutil.copytree(SAMPLE / "templates", instance.etc / "templates")
    shutil.copy(SAMPLE / "omero.properties", instance.etc)
    instance.server_jars.mkdir(parents=True)
    return instance


def test_a_dry_run_names_the_files_and_makes_none(instance: Instance) -> None:
    done = omero(instance, "admin", "rewrite", "--dry-run")
    assert done.returncode == 0, done.stderr
    for path in (instance.config_xml, instance.default_xml, instance.templates_xml, instance.master_cfg):
        assert str(path) in done.stdout
    assert [path.name for path in instance.etc.rglob("*")] == ["grid"]


def test_the_second_run_writes_nothing(instance: Instance) -> None:
    assert omero(instance, "admin", "rewrite").returncode == 0
    before = contents(instance)
    again = omero(instance, "admin", "rewrite")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert contents(instance) == before
    assert "nothing to do" in omero(instance, "admin", "rewrite", "--dry-run").stdout
    assert omero(instance, "admin", "rewrite", "--force").returncode == 0
    assert contents(instance) != before


def test_hand_edits_are_told_of(instance: Instance) -> None:
    omero(instance, "admin", "rewrite")
    instance.master_cfg.write_text("mine")
    assert f"keep {instance.master_cfg}" in omero(instance, "admin", "rewrite", "--dry-run").stdout
    done = omero(instance, "admin", "rewrite")
    assert done.returncode == 0
    assert (
        f"WARNING: {instance.master_cfg} was changed by hand; it is kept as {instance.master_cfg}.orig" in done.stderr
    )
    assert (instance.etc / "master.cfg.orig").read_text() == "mine"
    assert omero(instance, "admin", "rewrite").stderr == ""


def test_targets_are_found_wherever_links_lead(instance: Instance) -> None:
    omero(instance, "admin", "rewrite")
    assert {"repo", "debug", "trace", "jmx", "adh", "ssl", "noipv6"} <= known_targets(instance.default_xml)


def test_not_while_the_server_runs(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"Blitz-0": "ready"}) as grid:
        refused = omero(grid.instance, "admin", "rewrite")
        assert refused.returncode == 3
        assert "Can't regenerate templates the server is running!" in refused.stderr
        assert "--force" in refused.stderr
        forced = omero(grid.instance, "admin", "rewrite", "--force")
        assert forced.returncode == 0, forced.stderr
        assert grid.instance.templates_xml.is_file()


def test_a_backup_has_the_files_and_not_the_links(instance: Instance, tmp_path: Path) -> None:
    omero(instance, "admin", "rewrite")
    copy_configuration(instance.etc, tmp_path / "snapshot")
    names = sorted(path.name for path in (tmp_path / "snapshot" / "etc").iterdir())
    assert names == ["grid", "ice.config", "internal.cfg", "master.cfg"]
    assert not any(path.is_symlink() for path in (tmp_path / "snapshot").rglob("*"))


def test_a_distribution(distribution: Instance) -> None:
    done = omero(distribution, "admin", "rewrite")
    assert done.returncode == 0, done.stderr
    assert "MEMORY" not in distribution.templates_xml.read_text()
    assert (distribution.grid_directory / "windefault.xml").is_file()
    assert "nothing to do" in omero(distribution, "admin", "rewrite", "--dry-run").stdout
    assert omero(distribution, "admin", "start").returncode == 3


@contextlib.contextmanager
def foreign_node(instance: Instance) -> Iterator[None]:
    """A process that looks like a distribution's icegridnode."""
    arguments = [NODE, "-c", "import signal; signal.pause()", "--Ice.Config=etc/internal.cfg,etc/master.cfg"]
    with subprocess.Popen(arguments, executable=sys.executable, cwd=instance.omerodir) as node:
        try:
            yield
        finally:
            node.kill()


def test_not_while_a_distributions_node_runs(distribution: Instance) -> None:
    omero(distribution, "admin", "rewrite")
    with foreign_node(distribution):
        assert wait_until(lambda: omero(distribution, "admin", "rewrite").returncode == 3, timeout=20)
