"""Users and groups of a host that has its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.agents import Worker

pytestmark = pytest.mark.root


def account(root: Path, name: str, base: str = "passwd") -> list[str]:
    lines = (root / "host" / "etc" / base).read_text().splitlines()
    return next((line.split(":") for line in lines if line.startswith(f"{name}:")), [])


def test_a_user_with_its_group_is_made_once_and_taken_back(apart: Worker, tmp_path: Path) -> None:
    group = apart.wish("group", name="omero-data", gid=4711)
    user = apart.wish(  # noqa: S604 - a login shell
        "user", name="omero-test", uid=4712, group="omero-data", groups=["adm"], home="/home/omero/deep", system=True,
        shell="/bin/bash", password="none",
    )  # fmt: skip
    assert apart.facts("user", name="omero-test") == {"exists": False}
    assert apart.apply(group, user) == ["make group omero-data (4711)", "make system user omero-test"]
    run = apart.run
    assert account(tmp_path, "omero-test")[2:] == ["4712", "4711", "", "/home/omero/deep", "/bin/bash"]
    assert account(tmp_path, "omero-test", "shadow")[1] == "*"
    assert (tmp_path / "host" / "home" / "omero" / "deep").stat().st_uid == 4712
    assert apart.apply(group, user) == []
    apart.run = run
    assert apart.undo() == ["removed user omero-test; removed /home/omero/deep", "removed group omero-data"]
    assert not account(tmp_path, "omero-test")
    assert not account(tmp_path, "omero-data", "group")


def test_a_user_is_changed_and_changed_back(apart: Worker, tmp_path: Path) -> None:
    made = apart.wish("user", name="omero-test", create_home=False, home="/home/omero-one", shell="/bin/sh")  # noqa: S604 - a login shell
    apart.apply(made, apart.wish("group", name="omero-test-more"))
    before = account(tmp_path, "omero-test")
    changed = apart.wish(  # noqa: S604 - a login shell
        "user", name="omero-test", uid=4713, groups=["omero-test-more"], home="/home/omero-two",
        shell="/bin/bash",
    )  # fmt: skip
    assert apart.apply(changed) == ["change user omero-test", "make the home /home/omero-two of user omero-test"]
    run = apart.run
    assert account(tmp_path, "omero-test")[2] == "4713"
    assert account(tmp_path, "omero-test-more", "group")[3] == "omero-test"
    assert (tmp_path / "host" / "home" / "omero-two").stat().st_uid == 4713
    assert apart.apply(changed) == []
    apart.run = run
    assert len(apart.undo()) == 2
    assert account(tmp_path, "omero-test") == before
    assert account(tmp_path, "omero-test-more", "group")[3] == ""
    assert not (tmp_path / "host" / "home" / "omero-two").exists()


def test_a_home_that_is_used_stays(apart: Worker, tmp_path: Path) -> None:
    apart.apply(apart.wish("user", name="omero-test", home="/home/omero"))
    (tmp_path / "host" / "home" / "omero" / "data").write_text("of somebody")
    assert apart.undo() == ["removed user omero-test; kept /home/omero: it is not empty"]
    assert (tmp_path / "host" / "home" / "omero" / "data").read_text() == "of somebody"


def test_a_group_of_the_same_name_becomes_the_users_own(apart: Worker, tmp_path: Path) -> None:
    wishes = (apart.wish("group", name="omero-test", gid=4714), apart.wish("user", name="omero-test"))
    assert len(apart.apply(*wishes)) == 2
    assert account(tmp_path, "omero-test")[3] == "4714"
    assert apart.apply(*wishes) == []
    assert apart.apply(apart.wish("group", name="omero-test", gid=4715)) == ["change number of group omero-test"]
    assert apart.undo() == ["gave group omero-test its number back"]
