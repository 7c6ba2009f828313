"""``omero upload`` and ``omero download`` against the reference server: whole files or none."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from omeroadmin.repository.layout import original_file_path
from tests.integration.server.test_blitz_imports import picture
from tests.support.liveserver import PASSWORD, Api, LiveServer, command_line, live_server  # noqa: F401 - a fixture
from tests.support.omero import Omero


@pytest.fixture(scope="module")
def user(live_server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Omero:  # noqa: F811
    """Somebody who is logged in."""
    omero = command_line(live_server, tmp_path_factory.mktemp("home"))
    (omero.home / "own").write_text(PASSWORD)
    omero.ok("login", f"{live_server.add_user()}@localhost", "--password-file", "own")
    return omero


@pytest.fixture
def api(live_server: LiveServer) -> Api:  # noqa: F811
    """Another user."""
    return live_server.tls().login(live_server.add_user(), PASSWORD)


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def failure(user: Omero, *arguments: str, status: int = 5) -> str:
    done = user.run(*arguments)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
    assert (done.returncode, len(lines)) == (status, 1), done
    return lines[0]


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", os.urandom(3 << 20)], ids=["empty", "text", "large"])
def test_a_file_goes_up_and_comes_back(user: Omero, live_server: LiveServer, tmp_path: Path, content: bytes) -> None:  # noqa: F811
    source = tmp_path / "analysis of ö.csv"
    source.write_bytes(content)
    printed = user.ok("upload", str(source))
    file_id = int(printed.removeprefix("OriginalFile:"))
    [row] = live_server.sql("SELECT name, path, repo, mimetype, size, hash FROM originalfile WHERE id = %s", file_id)
    assert row == (source.name, "/", None, "text/csv", len(content), sha1(content))
    assert original_file_path(live_server.data, file_id).read_bytes() == content
    user.ok("download", f"OriginalFile:{file_id}", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    assert (tmp_path / "back").stat().st_mode & 0o400
    user.ok("download", str(file_id), str(tmp_path), "--force")
    streamed = subprocess.run(
        [sys.executable, "-m", "omeroadmin", "download", printed.strip(), "-"],
        env=user.environment, cwd=user.home, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert streamed.stdout == content


def test_what_is_there_is_not_replaced(user: Omero, tmp_path: Path) -> None:
    source = tmp_path / "notes.txt"
    source.write_text("new")
    file = user.ok("upload", str(source), "--mimetype", "text/x-notes").strip()
    target = tmp_path / "target.txt"
    target.write_text("old")
    assert failure(user, "download", file, str(target)) == f"omero: {target} is there already"
    assert target.read_text() == "old"
    user.ok("download", file, str(target), "--force")
    assert target.read_text() == "new"
    assert "is there already" in user.run("download", file, str(target)).stderr


def test_attachments(user: Omero, tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_text("attached")
    file = user.ok("upload", str(source)).strip()
    annotation = user.ok("obj", "new", "FileAnnotation", f"file={file}").strip()
    user.ok("download", annotation, str(tmp_path / "b.txt"))
    assert (tmp_path / "b.txt").read_text() == "attached"


def test_files_of_images(user: Omero, tmp_path: Path) -> None:
    (tmp_path / "cells.png").write_bytes(picture(811))
    image = user.ok("import", str(tmp_path / "cells.png")).strip()
    user.ok("download", image, str(tmp_path / "out"))
    [saved] = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert saved.name == "cells.png"
    assert saved.parent.name.startswith("Fileset_")
    assert saved.read_bytes() == (tmp_path / "cells.png").read_bytes()
    listed = user.ok("fs", "ls", image).splitlines()
    assert len(listed) == 1
    assert listed[0].endswith("/cells.png")
    assert user.ok("fs", "ls", saved.parent.name.replace("_", ":")).splitlines() == listed
    assert failure(user, "fs", "ls", "Dataset:1", status=2).endswith("Dataset:1 is no fileset")


def test_a_damaged_file_is_not_saved(user: Omero, live_server: LiveServer, tmp_path: Path) -> None:  # noqa: F811
    source = tmp_path / "data.bin"
    source.write_bytes(b"0123456789")
    file = user.ok("upload", str(source)).strip()
    stored = original_file_path(live_server.data, int(file[13:]))
    stored.chmod(0o640)
    for content in (b"0123456780", b"0123"):
        stored.write_bytes(content)
        assert "isn't what the server recorded" in failure(user, "download", file, str(tmp_path / "out"))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["data.bin"]


def test_others_see_nothing(user: Omero, api: Api, tmp_path: Path) -> None:
    source = tmp_path / "private.txt"
    source.write_text("secret")
    file = user.ok("upload", str(source)).strip()
    for path in (f"/files/{file[13:]}", f"/files/{file[13:]}/content"):
        assert api.call("GET", path).status == 404


def test_bad_input(user: Omero, tmp_path: Path) -> None:
    assert failure(user, "upload", str(tmp_path / "gone"), status=2).startswith("omero: no such file")
    assert failure(user, "upload", str(tmp_path), status=2).startswith(f"omero: {tmp_path} is a folder")
    assert failure(user, "download", "OriginalFile:999999999", str(tmp_path / "x")).endswith("no file 999999999")
    assert failure(user, "download", "Dataset:1", str(tmp_path / "x"), status=2).endswith("Dataset:1 has no files")
    unwritable = tmp_path / "locked"
    unwritable.mkdir(mode=0o500)
    (tmp_path / "a").write_text("x")
    file = user.ok("upload", str(tmp_path / "a")).strip()
    assert "Permission denied" in failure(user, "download", file, str(unwritable / "a"))


def test_nothing_stays_of_an_upload_that_fails(api: Api, live_server: LiveServer) -> None:  # noqa: F811
    def begin(size: int = 5) -> int:
        begun = api.call("POST", "/uploads", {"name": "x.bin", "size": size})
        assert begun.status == 201
        return int(begun.document["id"])

    def left() -> list[Path]:
        return [path for path in (live_server.data / "Files").rglob("*") if path.is_file()]

    before = sorted(left())
    number = begin()
    assert api.call("POST", f"/uploads/{number}/complete", {"hash": sha1(b"")}).code == "upload-incomplete"
    assert api.call("PUT", f"/uploads/{number}", b"1234").code == "size-mismatch"
    assert api.call("PUT", f"/uploads/{number}", b"123456").code == "size-mismatch"
    assert api.call("PUT", f"/uploads/{number}", b"12345").document["hash"] == sha1(b"12345")
    other = live_server.tls().login(live_server.add_user(), PASSWORD)
    assert other.call("PUT", f"/uploads/{number}", b"12345").status == 404
    assert other.call("POST", f"/uploads/{number}/complete", {"hash": sha1(b"12345")}).status == 404
    assert api.call("POST", f"/uploads/{number}/complete", {"hash": sha1(b"12346")}).code == "checksum-mismatch"
    assert api.call("POST", f"/uploads/{number}/complete", {"hash": sha1(b"12345")}).status == 404
    number = begin()
    api.call("PUT", f"/uploads/{number}", b"12345")
    assert api.call("DELETE", f"/uploads/{number}").status == 204
    assert sorted(left()) == before
    assert live_server.sql("SELECT count(*) FROM originalfile WHERE name = 'x.bin'") == [(0,)]
    assert api.call("POST", "/uploads", {"name": "../x", "size": 1}).status == 400


def test_a_group_may_forbid_downloads(api: Api, live_server: LiveServer) -> None:  # noqa: F811
    image = api.import_files(("/policy.png", picture(900))).document["images"][0]["id"]
    [file] = api.call("GET", f"/images/{image}/files").document["files"]
    path = f"/files/{file['id']}/content"
    assert api.call("GET", path).status == 200
    live_server.sql(
        "INSERT INTO experimentergroup_config (experimentergroup_id, name, value, index)"
        " SELECT group_id, 'omero.policy.binary_access', '+read,+write,-image', 0 FROM image WHERE id = %s",
        image,
    )
    refused = api.call("GET", path)
    assert (refused.status, refused.code) == (403, "permission-denied")
    assert api.call("GET", f"/files/{file['id']}").status == 200


@pytest.mark.parametrize("mimetype", ["OMERO.tables", " OMERO.tables ", "Repository", "Directory"])
def test_types_that_the_server_acts_upon_are_its_own(user: Omero, tmp_path: Path, mimetype: str) -> None:
    source = tmp_path / "notes.txt"
    source.write_text("mine")
    assert "only the server makes files of type" in failure(user, "upload", "--mimetype", mimetype, str(source))
    file = user.ok("upload", str(source)).strip()
    assert "only the server makes files of type" in failure(user, "obj", "update", file, f"mimetype={mimetype}")
