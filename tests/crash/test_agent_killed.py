"""kill -9 of an agent at any moment: what it was changing is as before or as wished, and the next run completes it."""

from __future__ import annotations

import os
import signal
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.provisioning.sources import with_source
from tests.support.agents import Worker, telling_pid, with_own_state, worker, worker_apart
from tests.support.killing import kill_and_complete


def test_files_links_and_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("home", "host", "sources"):
        (tmp_path / name).mkdir()
    host, text = tmp_path / "host", "x\n" * 20_000
    (host / "edited").write_text(text + "value = 0\n")

    def wishes(found: Worker, number: int) -> list[dict[str, Any]]:
        offered = []
        for kind, path, fields in (
            ("archive", archive(tmp_path / "sources" / f"{number}.zip", number), {"path": str(host / f"v{number}")}),
            ("file", large(tmp_path / "sources" / f"{number}.bin", number), {"path": str(host / "large")}),
        ):
            wish = with_source(found.wish(kind, source=str(path), **fields), path)
            found.session.offer(wish["digest"], path)
            offered.append(wish)
        return [
            found.wish("directory", path=str(host / "d" / str(number)), mode="0750"),
            found.wish("file", path=str(host / "small"), content=f"{number}\n" * 9000, mode=f"06{number % 7}0"),
            *offered,
            found.wish("link", path=str(host / "link"), target=f"v{number}"),
            found.wish("line", path=str(host / "edited"), line=f"value = {number}", match="^value ="),
            found.wish("block", path=str(host / "edited"), name="n", content=f"{number}\n{number}"),
            found.wish(
                "command", arguments=["touch", str(host / f"made{number}")], creates=str(host / f"made{number}")
            ),
            found.wish("wait-for", path=str(host / f"made{number}")),
        ]

    def whole(number: int) -> None:
        contents = {"small": set((host / "small").read_text().split())}
        contents["link"] = {(host / "link").readlink().name[1:]}
        edited = (host / "edited").read_text()
        assert edited.startswith(text)
        contents["line"] = {edited.partition("value = ")[2].split("\n")[0]}
        for name, content in contents.items():
            assert content in ({str(number - 1)}, {str(number)}), name
        assert set((host / "large").read_bytes()) in ({(number - 1) % 256}, {number % 256})
        place = host / f"v{number}"
        assert not place.exists() or len(list((place / "lib").iterdir())) == 40

    kill_and_complete(wishes, lambda: worker((*telling_pid(tmp_path / "pid"), *with_own_state())), tmp_path, whole)
    assert not (tmp_path / "home" / ".local" / "state" / "omeroadmin" / "arrived").exists()


def archive(path: Path, number: int) -> Path:
    """An archive with some files; always the same bytes."""
    if not path.exists():
        with zipfile.ZipFile(path, "w") as opened:
            for member in range(40):
                opened.writestr(zipfile.ZipInfo(f"lib/{member}"), bytes([number % 256]) * 20_000)
    return path


def large(path: Path, number: int) -> Path:
    """A binary file of one byte's copies."""
    if not path.exists():
        path.write_bytes(bytes([number % 256]) * (2 << 20))
    return path


@pytest.mark.root
def test_accounts_and_files_of_the_system(tmp_path: Path) -> None:
    etc = tmp_path / "host" / "etc"
    before = (Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes())

    def wishes(found: Worker, number: int) -> list[dict[str, Any]]:
        name = f"omero-test{number}"
        more: dict[str, Any] = {"shell": "/bin/sh", "password": "none"}
        return [
            found.wish("group", name=name, gid=7000 + number),
            found.wish("user", name=name, uid=7000 + number, groups=["adm"], home=f"/home/omero/{number}", **more),
            found.wish("cron", name="omero-test", schedule=f"{number % 60} 1 * * *", command="true"),
            found.wish("limits", name="omero-test", domain=name, values={"nofile": 1024 + number}),
            found.wish("sysctl", name="omero-test", values={"net.ipv4.conf.lo.log_martians": number % 2}),
        ]

    def whole(number: int) -> None:
        for name in ("cron.d/omero-test", "security/limits.d/omero-test.conf", "sysctl.d/omero-test.conf"):
            lines = (etc / name).read_text().splitlines()
            assert len(lines) == 2, f"round {number}: {name}"

    def start() -> AbstractContextManager[Worker]:
        return worker_apart(tmp_path / "host", telling_pid(tmp_path / "pid"))

    (tmp_path / "host").mkdir()
    kill_and_complete(wishes, start, tmp_path, whole)
    assert (Path("/etc/passwd").read_bytes(), Path("/etc/group").read_bytes()) == before


def test_a_file_that_was_used_and_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The controller went when all was done, and the agent didn't get the word to tidy up."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "host").mkdir()
    arrived = tmp_path / "home/.local/state/omeroadmin/arrived"
    sources = {"archive": archive(tmp_path / "1.zip", 1), "file": large(tmp_path / "1.bin", 1)}
    wishes = [
        with_source(Worker.wish(kind, source=str(path), path=str(tmp_path / "host" / kind)), path)
        for kind, path in sources.items()
    ]
    with worker((*telling_pid(tmp_path / "pid"), *with_own_state())) as found:
        for wish in wishes:
            found.session.offer(wish["digest"], sources[wish["kind"]])
        assert len(found.apply(*wishes)) == 2
        assert found.apply(*wishes) == []
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert len(list(arrived.iterdir())) == 2
    with worker(with_own_state()) as found:
        assert len(found.apply(*wishes)) == 2
        assert found.apply(*wishes) == []
    assert not arrived.exists()
    with worker(with_own_state()) as found:
        assert found.apply(*wishes) == []
