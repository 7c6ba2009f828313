"""Hand edits are noticed and kept, and a plan says what it will do."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from omeroadmin.errors import AdminWarning
from omeroadmin.grid.publishing import MARK, plan_publishing, rendered_files
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system.local import LocalHost
from omeroadmin.system.together import SetFile

FIRST = {"master.cfg": "1", "grid/default.xml": "<a/>", "worker.cfg": f"# {MARK}\n"}
SECOND = {"master.cfg": "2", "grid/default.xml": "<a/>"}


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    instance = Instance(tmp_path)
    instance.grid_directory.mkdir(parents=True)
    return instance


def publish(instance: Instance, texts: Mapping[str, str], *, force: bool = False) -> list[str]:
    files = [SetFile(name, text.encode()) for name, text in texts.items()]
    plan = plan_publishing(instance, files, ["worker.cfg"], force=force)
    apply_plan(plan, LocalHost())
    return plan.lines()


def test_a_plan_names_what_it_does(instance: Instance) -> None:
    etc = instance.etc
    assert publish(instance, FIRST) == [f"write {etc}/master.cfg, {etc}/grid/default.xml, {etc}/worker.cfg"]
    assert publish(instance, FIRST) == []
    assert publish(instance, SECOND) == [f"write {etc}/master.cfg; remove {etc}/worker.cfg"]
    assert publish(instance, SECOND, force=True) == [f"write {etc}/master.cfg, {etc}/grid/default.xml"]
    (etc / ".rendered" / "left").mkdir()
    assert publish(instance, SECOND) == [f"tidy up {etc}/.rendered"]
    assert publish(instance, SECOND) == []


@pytest.mark.parametrize("how", ["in place", "replaced"])
def test_hand_edits_are_kept(instance: Instance, how: str) -> None:
    publish(instance, FIRST)
    for number, name in enumerate(("master.cfg.orig", "master.cfg.orig.1")):
        if how == "replaced":
            instance.master_cfg.unlink()
        instance.master_cfg.write_text(f"mine {number}")
        with pytest.warns(AdminWarning, match=f"master.cfg was changed by hand; it is kept as .*/{name} and"):
            lines = publish(instance, FIRST)
        assert lines[0] == f"keep {instance.master_cfg}, which was changed by hand, as {instance.etc / name}"
        assert (instance.etc / name).read_text() == f"mine {number}"
        assert instance.master_cfg.read_text() == "1"
    assert publish(instance, FIRST) == []


def test_an_edit_that_is_what_is_rendered_next_isnt_kept(instance: Instance) -> None:
    publish(instance, FIRST)
    instance.master_cfg.write_text("2")
    assert publish(instance, SECOND)
    assert not list(instance.etc.glob("*.orig*"))


def test_files_of_somebody_else_are_kept_where_they_differ(instance: Instance) -> None:
    instance.master_cfg.write_text("1")
    instance.default_xml.write_text("<b/>")
    with pytest.warns(AdminWarning, match=r"default\.xml is not what this version renders") as warned:
        publish(instance, FIRST)
    assert len(warned) == 1
    assert (instance.grid_directory / "default.xml.orig").read_text() == "<b/>"


def test_a_changed_file_of_a_node_that_disappears_is_kept(instance: Instance) -> None:
    publish(instance, FIRST)
    (instance.etc / "worker.cfg").write_text("mine")
    with pytest.warns(AdminWarning, match=r"worker\.cfg"):
        publish(instance, SECOND)
    assert not (instance.etc / "worker.cfg").exists()
    assert (instance.etc / "worker.cfg.orig").read_text() == "mine"


def test_a_removed_file_comes_back(instance: Instance) -> None:
    publish(instance, FIRST)
    instance.default_xml.unlink()
    assert publish(instance, FIRST) == [f"write {instance.default_xml}"]
    assert instance.default_xml.read_text() == "<a/>"


def test_a_nodes_file_of_the_admins_own_making_stays(instance: Instance) -> None:
    own = instance.etc / "worker.cfg"
    own.write_text("IceGrid.Node.Name=worker\n")
    publish(instance, FIRST)
    assert own.read_text() == "IceGrid.Node.Name=worker\n"
    assert publish(instance, FIRST) == []
    own.unlink()
    assert publish(instance, FIRST) == [f"write {own}"]


def test_a_nodes_file_from_a_backup_is_taken_over(instance: Instance) -> None:
    publish(instance, FIRST)
    content = (instance.etc / "worker.cfg").read_bytes()
    shutil.rmtree(instance.etc / ".rendered")
    for name in FIRST:
        (instance.etc / name).unlink()
    (instance.etc / "worker.cfg").write_bytes(content)
    publish(instance, FIRST)
    assert (instance.etc / "worker.cfg").is_symlink()
    assert not list(instance.etc.glob("*.orig"))
    assert rendered_files(instance).leftovers() == []


def test_wider_permissions_are_taken_back(instance: Instance) -> None:
    publish(instance, FIRST)
    instance.master_cfg.chmod(0o666)
    assert publish(instance, FIRST) == [f"write {instance.master_cfg}"]
    assert instance.master_cfg.stat().st_mode & 0o777 == 0o644
