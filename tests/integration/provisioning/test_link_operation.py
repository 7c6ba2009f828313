"""Symbolic links are pointed elsewhere in one step, and back."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.provisioning.agent.files import temporary_name
from tests.support.agents import Worker, leftovers


def test_a_link_is_made_pointed_elsewhere_and_back(local: Worker, tmp_path: Path) -> None:
    link = tmp_path / "server"
    runs = []
    for version in ("one", "two"):
        (tmp_path / version).mkdir()
        assert local.apply(local.wish("link", path=str(link), target=version)) == [f"link {link} to {version}"]
        runs.append(local.run)
        assert local.apply(local.wish("link", path=str(link), target=version)) == []
    local.run = runs[1]
    assert local.undo() == [f"linked {link} to one again"]
    assert link.readlink() == Path("one")
    assert list((tmp_path / "two").iterdir()) == []
    local.run = runs[0]
    assert local.undo() == [f"removed link {link}"]
    assert not link.is_symlink()


def test_what_is_no_link_stays(local: Worker, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    wish = local.wish("link", path=str(tmp_path / "server"), target="one")
    assert local.failure(wish)["code"] == "host-not-a-link"
    assert local.failure({**wish, "state": "absent"})["code"] == "host-not-a-link"
    assert (tmp_path / "server").is_dir()


def test_what_a_kill_left_is_removed(local: Worker, tmp_path: Path) -> None:
    link = tmp_path / "server"
    link.symlink_to("one")
    Path(temporary_name(str(link))).symlink_to("two")
    assert len(local.apply(local.wish("link", path=str(link), target="one"))) == 1
    assert not leftovers(tmp_path)
    assert local.apply(local.wish("link", path=str(link), target="", state="absent")) == [f"remove link {link}"]
    assert local.undo() == [f"linked {link} to one again"]
