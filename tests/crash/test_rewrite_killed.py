"""kill -9 in the middle of ``admin rewrite``: the files on the disk are those of one set, and no hand edit is lost."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omeroadmin.grid.descriptor import read_servers
from omeroadmin.profiles.store import update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import wait_until
from tests.support.rendered import Visible, kept_copies, killed_after, rewrite, visible

ONE = Settings({"omero.server.nodedescriptors": "master:Blitz-0 worker:Processor-1"})
OTHER = Settings({"omero.ports.prefix": "2", "omero.server.nodedescriptors": "master:Blitz-0 w2:Processor-1"})
EDIT = b"# changed by hand\n"
KILLS = 200
COMMAND_KILLS = 10

Situation = Callable[[Instance], None]


def nothing(instance: Instance) -> None:
    """Nothing was ever rendered."""


def plain_files(instance: Instance) -> None:
    """Files of an older version: no links, none of a node, and one is missing."""
    rewrite(instance, ONE)
    contents = visible(instance)
    shutil.rmtree(instance.etc / ".rendered")
    for name, content in contents.items():
        (instance.etc / name).unlink()
        (instance.etc / name).write_bytes(content)
    instance.ice_config.unlink()
    (instance.etc / "worker.cfg").unlink()


def a_set(instance: Instance) -> None:
    """As it always is; a node disappears and another one comes."""
    rewrite(instance, ONE)


def edited(instance: Instance) -> None:
    """One file was changed in its place, another one replaced, a third removed."""
    rewrite(instance, ONE)
    instance.master_cfg.write_bytes(EDIT)
    (instance.etc / "worker.cfg").unlink()
    (instance.etc / "worker.cfg").write_bytes(EDIT)
    instance.ice_config.unlink()


def rendered_before(instance: Instance) -> None:
    """Another rewrite was killed."""
    rewrite(instance, ONE)
    killed_after(12, lambda: rewrite(instance, OTHER))


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    instance = Instance(tmp_path / "OMERO.server")
    instance.grid_directory.mkdir(parents=True)
    update_profile(instance.config_xml, {"omero.example": "1"})
    return instance


def renew(instance: Instance, saved: Path) -> Visible:
    """Start over from a saved situation.

    :return: what is there then
    """
    shutil.rmtree(instance.etc)
    shutil.copytree(saved, instance.etc, symlinks=True)
    return visible(instance)


def assert_one_set(instance: Instance, before: Visible, after: Visible) -> bool:
    """Readers find one set, and whatever was changed by hand is still there.

    :return: whether it is the new one
    """
    now = visible(instance)
    assert now in (before, after), sorted(now)
    kept = {path.read_bytes() for path in kept_copies(instance.etc)}
    assert EDIT not in before.values() or now == before or EDIT in kept
    assert all(content in before.values() for content in kept)
    if now:
        assert {server.node for server in read_servers(instance.default_xml)} >= {"master"}
    return now == after


def assert_tidy(instance: Instance) -> None:
    """Nothing is left of what was killed."""
    store = instance.etc / ".rendered"
    assert len(list(store.iterdir())) == 3, "the set, the link to it and the lock"
    names = [path.name for path in (*instance.etc.iterdir(), *instance.grid_directory.iterdir())]
    assert not [name for name in names if name.endswith(".together")]
    assert not [path for path in kept_copies(instance.etc) if path.suffix != ".orig"], "each was kept once"
    assert all((instance.etc / name).is_symlink() for name in visible(instance))


def test_killed_before_each_change_of_a_file(instance: Instance) -> None:
    kills = 0
    pristine = instance.omerodir / "pristine"
    shutil.copytree(instance.etc, pristine)
    for situation in (nothing, plain_files, a_set, edited, rendered_before):
        saved = instance.omerodir / situation.__name__
        renew(instance, pristine)
        situation(instance)
        shutil.copytree(instance.etc, saved, symlinks=True)
        rewrite(instance, OTHER)
        after = visible(instance)
        changes = 0
        done = set()
        while True:
            before = renew(instance, saved)
            killed = killed_after(changes, lambda: rewrite(instance, OTHER))
            done.add(assert_one_set(instance, before, after))
            if not killed:
                break
            rewrite(instance, OTHER)
            assert visible(instance) == after
            assert_tidy(instance)
            changes += 1
            kills += 1
        assert done == {False, True}, situation.__name__
    assert kills >= KILLS


def test_killed_command(instance: Instance) -> None:
    chance = random.Random(3)
    command = [sys.executable, "-m", "omeroadmin", "admin", "rewrite"]
    environment = {**os.environ, "OMERODIR": str(instance.omerodir)}
    subprocess.run(command, env=environment, check=True, timeout=30)
    for number in range(COMMAND_KILLS):
        before = visible(instance)
        update_profile(instance.config_xml, {"omero.ports.prefix": str(number % 5 + 1)})
        with subprocess.Popen(command, env=environment) as process:
            wait_until(lambda: process.poll() is not None, timeout=chance.uniform(0.3, 0.7), first_pause=0.005)
            process.kill()
        now = visible(instance)
        subprocess.run(command, env=environment, check=True, timeout=30)
        assert now in (before, visible(instance))
        assert_tidy(instance)
