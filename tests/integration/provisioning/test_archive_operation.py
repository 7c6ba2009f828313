"""Archives and large files go to a host when they are needed, and are unpacked where they belong or not at all."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.provisioning.agent.files import temporary_name
from omeroadmin.provisioning.sources import with_source
from tests.support.agents import Worker, leftovers


def with_file(worker: Worker, wish: dict[str, Any], path: Path) -> dict[str, Any]:
    wish = with_source(wish, path)
    if "digest" in wish:
        worker.session.offer(wish["digest"], path)
    return wish


def unpacking(worker: Worker, archive: Path, **fields: Any) -> dict[str, Any]:
    return with_file(worker, worker.wish("archive", source=str(archive), **fields), archive)


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        program = zipfile.ZipInfo("server-1/bin/omero")
        program.external_attr = 0o104777 << 16
        archive.writestr(program, "#!/bin/sh\n")
        archive.writestr("server-1/lib/large", os.urandom(9 << 20))
        link = zipfile.ZipInfo("server-1/omero")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "bin/omero")
        archive.writestr("README", "left out")
    return path


def state(tmp_path: Path) -> list[str]:
    directory = tmp_path / "home" / ".local" / "state" / "omeroadmin"
    return sorted(path.name for path in (directory / "arrived").glob("*"))


def test_a_zip_is_unpacked_once_and_taken_back(local: Worker, tmp_path: Path) -> None:
    archive, place = zipped(tmp_path / "s.zip"), tmp_path / "opt" / "server-1"
    place.parent.mkdir()
    wish = unpacking(local, archive, path=str(place), strip=1, creates=str(place / "bin" / "omero"))
    assert local.apply(wish) == [f"unpack s.zip into {place}"]
    run = local.run
    assert (place / "omero").read_text() == "#!/bin/sh\n"
    assert (place / "bin" / "omero").stat().st_mode & 0o7777 == 0o755
    assert (place / "lib" / "large").stat().st_size == 9 << 20
    assert sorted(path.name for path in place.iterdir()) == ["bin", "lib", "omero"]
    assert local.apply(wish) == []
    Path(temporary_name(str(place))).mkdir()
    assert local.apply(wish) == [f"remove what an interrupted run left of {place}"]
    local.run = run
    assert local.undo() == [f"removed {place}"]
    assert list(place.parent.iterdir()) == []
    local.session.close()
    assert state(tmp_path) == []


def test_what_has_arrived_before_is_not_sent_again(local: Worker, tmp_path: Path) -> None:
    archive = zipped(tmp_path / "s.zip")
    wish = unpacking(local, archive, path=str(tmp_path / "place"))
    arrived = tmp_path / "home" / ".local" / "state" / "omeroadmin" / "arrived"
    arrived.mkdir(parents=True)
    content = archive.read_bytes()
    (arrived / f"{wish['digest']}.part").write_bytes(content[: 5 << 20])
    archive.write_bytes(bytes(5 << 20) + content[5 << 20 :])
    assert len(local.apply(wish)) == 1

    archive.write_bytes(content[:100])
    other = {**wish, "path": str(tmp_path / "other"), "digest": "0" * 64}
    local.session.offer("0" * 64, archive)
    assert local.failure(other)["code"] == "host-source-damaged"
    assert local.failure({**other, "digest": "1" * 64})["code"] == "host-source-missing"
    assert local.facts("directory", path=str(tmp_path / "other")) == {"exists": False}
    assert len(local.apply({**other, "digest": wish["digest"]})) == 1


def test_what_is_in_the_way_stays(local: Worker, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    wish = unpacking(local, zipped(tmp_path / "s.zip"), path=str(place), creates=str(place / "server-1" / "nothing"))
    assert local.failure(wish)["code"] == "host-archive-without-result"
    (place / "file").write_text("mine")
    assert local.failure(wish)["code"] == "host-archive-place-taken"
    assert [path.name for path in place.iterdir()] == ["file"]
    assert not leftovers(tmp_path)


def member(name: str, **attributes: Any) -> Callable[[tarfile.TarFile], None]:
    entry = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(entry, attribute, value)
    return lambda archive: archive.addfile(entry, io.BytesIO())


@pytest.mark.parametrize(
    "members",
    [
        [member("../out")],
        [member("/tmp/out")],
        [member("a/../../out")],
        [member("link", type=tarfile.SYMTYPE, linkname="..")],
        [member("link", type=tarfile.SYMTYPE, linkname="/etc")],
        [
            member("a/b/up", type=tarfile.SYMTYPE, linkname="../.."),
            member("out", type=tarfile.SYMTYPE, linkname="a/b/up/../x"),
        ],
        [member("link", type=tarfile.LNKTYPE, linkname="../home")],
        [member("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
        [member("pipe", type=tarfile.FIFOTYPE)],
    ],
)
def test_nothing_leaves_the_directory(
    local: Worker, tmp_path: Path, members: list[Callable[[tarfile.TarFile], None]]
) -> None:
    with tarfile.open(tmp_path / "s.tar.gz", "w:gz") as archive:
        member("fine")(archive)
        for add in members:
            add(archive)
    before = sorted(path for path in tmp_path.iterdir())
    error = local.failure(unpacking(local, tmp_path / "s.tar.gz", path=str(tmp_path / "place")))
    assert error["code"] == "host-archive-unsafe"
    assert sorted(path for path in tmp_path.iterdir()) == before


def test_files_are_not_written_through_links(local: Worker, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        member("x/real")(archive)
        member("x/same", type=tarfile.LNKTYPE, linkname="x/real")(archive)
        member("d", type=tarfile.SYMTYPE, linkname="x")(archive)
        member("d/file")(archive)
    error = local.failure(unpacking(local, tmp_path / "s.tar", path=str(tmp_path / "place")))
    assert error["code"] == "host-archive-damaged"
    assert not (tmp_path / "place").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x1f\x8b\x08\x00 no", b"text\n" * 1000])
def test_what_is_no_archive_is_one_line(local: Worker, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s.zip").write_bytes(content)
    error = local.failure(unpacking(local, tmp_path / "s.zip", path=str(tmp_path / "place")))
    assert error["code"] == "host-archive-damaged"
    assert "\n" not in error["message"]
    assert not leftovers(tmp_path)


def test_large_and_binary_files_are_copied_and_brought_back(local: Worker, tmp_path: Path) -> None:
    source, path = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(os.urandom(3 << 20))
    path.write_bytes(b"\0" * (70 << 20))
    wish = with_file(local, local.wish("file", path=str(path), source=str(source), mode="0600"), source)
    assert local.session.facts([wish])["0"]["facts"]["same"] is False
    assert local.apply(wish)[0] == f"write {path}"
    run = local.run
    assert path.read_bytes() == source.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert local.apply(wish) == []
    local.run = run
    local.undo()
    assert path.stat().st_size == 70 << 20


def test_small_texts_travel_with_the_wish(local: Worker, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("é\n")
    wish = with_file(local, local.wish("file", path=str(tmp_path / "copy"), source=str(source)), source)
    assert (wish["content"], "digest" in wish) == ("é\n", False)
    assert local.apply(wish) == [f"write {tmp_path / 'copy'} (0644)"]
