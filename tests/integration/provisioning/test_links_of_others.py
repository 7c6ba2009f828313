"""Who owns a directory on a host can't lead root out of it by links."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.files import write_whole
from omeroadmin.provisioning.sources import with_source
from tests.support.agents import Worker

pytestmark = pytest.mark.root
JOE = 4242
SWAP = """
import os, sys
os.chdir(sys.argv[1])
while True:
    for old, new in (("d", "aside"), ("evil", "d"), ("d", "evil"), ("aside", "d")):
        os.rename(old, new)
"""


@pytest.fixture
def home(apart: Worker, tmp_path: Path) -> Path:
    """The home of a user who means ill; root's file beside it must stay as it is."""
    home = tmp_path / "host/run/joe"
    home.mkdir()
    os.chown(home, JOE, JOE)
    (tmp_path / "host/etc/victim").write_text("root's\n")
    return home


def joins(path: Path, target: str) -> None:
    """A link of the user's own."""
    path.symlink_to(target)
    os.chown(path, JOE, JOE, follow_symlinks=False)


def untouched(home: Path) -> bool:
    """Whether root's file is as it was."""
    victim = home.parents[1] / "etc/victim"
    return (victim.read_text(), victim.stat().st_uid, victim.stat().st_mode & 0o777) == ("root's\n", 0, 0o644)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("file", {"path": "/run/joe/x", "content": "joe's\n"}),
        ("file", {"path": "/run/joe/x", "content": "root's\n", "owner": str(JOE)}),
        ("file", {"path": "/run/joe/x", "content": "root's\n", "mode": "0666"}),
        ("file", {"path": "/run/joe/etc/victim", "content": "joe's\n"}),
        ("file", {"path": "/run/joe/etc/victim", "state": "absent"}),
        ("file", {"path": "/run/joe/etc/new", "content": "joe's\n"}),
        ("line", {"path": "/run/joe/x", "line": "joe's"}),
        ("directory", {"path": "/run/joe/etc", "owner": str(JOE)}),
        ("directory", {"path": "/run/joe/etc/new/one"}),
        ("link", {"path": "/run/joe/etc/new", "target": "/tmp"}),
    ],
)
def test_a_link_of_a_user_leads_nowhere_else(apart: Worker, home: Path, kind: str, fields: dict[str, str]) -> None:
    joins(home / "x", "../../etc/victim")
    joins(home / "etc", "/etc")
    failure = apart.failure(apart.wish(kind, **fields))
    assert failure["code"] == "host-link-untrusted"
    assert "4242" in failure["message"]
    assert fields["path"] in failure["message"]
    assert untouched(home)
    assert not (home.parents[1] / "etc/new").exists()


def test_no_archive_is_unpacked_behind_such_a_link(apart: Worker, home: Path, tmp_path: Path) -> None:
    joins(home / "etc", "/etc")
    packed = tmp_path / "packed.tar"
    with tarfile.open(packed, "w") as archive:
        archive.addfile(tarfile.TarInfo("file"), io.BytesIO())
    wish = with_source(apart.wish("archive", path="/run/joe/etc/new", source=str(packed)), packed)
    apart.session.offer(wish["digest"], packed)
    assert apart.failure(wish)["code"] == "host-link-untrusted"
    assert not (home.parents[1] / "etc/new").exists()


def test_what_is_theirs_is_found_by_their_links(apart: Worker, home: Path) -> None:
    (home / "real").mkdir()
    os.chown(home / "real", JOE, JOE)
    joins(home / "short", "real")
    assert apart.apply(apart.wish("file", path="/run/joe/short/a", content="a")) == ["write /run/joe/short/a (0644)"]
    assert apart.apply(apart.wish("directory", path="/run/joe/short", mode="0700")) == ["change mode of /run/joe/short"]
    assert (home / "real/a").read_text() == "a"
    assert (home / "real").stat().st_mode & 0o777 == 0o700
    assert (home / "short").is_symlink()


def test_links_of_root_are_followed(apart: Worker, home: Path) -> None:
    (home / "to-etc").symlink_to("/etc")
    apart.apply(apart.wish("line", path="/run/joe/to-etc/victim", line="more"))
    assert (home.parents[1] / "etc/victim").read_text() == "root's\nmore\n"


def test_circles_of_links_are_one_line(apart: Worker, home: Path) -> None:
    joins(home / "a", "b")
    joins(home / "b", "a")
    failure = apart.failure(apart.wish("file", path="/run/joe/a", content=""))
    assert failure["message"] == "/run/joe/a can't be read: Too many levels of symbolic links"


def test_a_link_that_comes_in_between_leads_nowhere_else(home: Path) -> None:
    """The user swaps the directory above a file for a link, as fast as they can."""
    (home / "d").mkdir()
    os.chown(home / "d", JOE, JOE)
    joins(home / "evil", str(home.parents[1] / "etc"))
    swapping = subprocess.Popen([sys.executable, "-c", SWAP, home])
    try:
        for _ in range(300):
            with contextlib.suppress(HostError):
                write_whole(str(home / "d/victim"), b"joe's", 0o666, str(JOE))
        assert swapping.poll() is None
    finally:
        swapping.kill()
        swapping.wait()
    assert untouched(home)
