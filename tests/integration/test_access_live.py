"""The commands against the reference server: Blitz behind OMERO.Glacier2, found by way of OMERODIR."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.access.trust import Trust
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import LiveServer, command_line, live_server  # noqa: F401 - a fixture
from tests.support.omero import Omero


@pytest.fixture
def omero(live_server: LiveServer, tmp_path: Path) -> Omero:  # noqa: F811 - the fixture's name
    """A user of the instance: its ports and its certificate are in config.xml."""
    return command_line(live_server, tmp_path)


@pytest.fixture
def root(omero: Omero) -> Iterator[Omero]:
    """Logged in as root."""
    omero.ok("login", "root@localhost", "--password-file", "password")
    yield omero
    omero.run("logout")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Images of two formats, and a text."""
    import pyvips

    directory = tmp_path / "images"
    directory.mkdir()
    for name in ("first.png", "second.tif"):
        pyvips.Image.black(64, 48, bands=3).write_to_file(str(directory / name))
    (directory / "third.png").write_bytes(b"this is no image")
    return directory


def test_login_finds_port_and_certificate(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    done = omero.run("login", "root@localhost", "--password-file", "password")
    where = f"root@localhost:{live_server.ssl_port}"
    assert done.returncode == 0, done.stderr
    assert (
        done.stderr
        == f"Created session for {where}. Idle timeout: 10 min. Expires in: 1440 min. Current group: system\n"
    )
    done = omero.run("login", "root@localhost", "-C", environment={"OMERO_PASSWORD": "wrong"})
    lines = [line for line in done.stderr.splitlines() if not line.startswith("  ->")]
    assert (done.returncode, len(lines)) == (3, 1), done.stderr
    done = omero.run("login", "root@tcp://localhost", "-C", "--password-file", "password")
    assert done.returncode == 3
    assert f"tcp://localhost:{live_server.tcp_port} has no TLS" in done.stderr
    assert omero.run("logout").stderr == f"Logged out: {where}\n"
    assert omero.run("logout").returncode == 0


def test_the_plain_port_takes_keys(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    key = live_server.tls().login().key
    done = omero.run("login", "tcp://localhost", "-k", "-", input_text=f"{key}\n")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(f"Joined session for root@tcp://localhost:{live_server.tcp_port}.")
    assert "root" in omero.ok("sessions", "who", "--style", "csv")
    done = omero.run("sessions", "who", "--verify")
    assert (done.returncode, done.stdout) == (3, "")
    assert "has no TLS, so nothing proves that it is the server" in done.stderr
    assert omero.run("logout").returncode == 0
    assert omero.run("login", "tcp://localhost", "-k", key).returncode == 3


def test_import_and_list(root: Omero, images: Path) -> None:
    done = root.run("import", str(images))
    assert (done.returncode, done.stdout.count("Image:")) == (5, 2), done.stderr
    assert done.stderr.startswith(f"omero: {images / 'third.png'}: ")
    listed = {image["name"]: image for image in root.json("fs", "images", "--style", "json")["images"]}
    for name in ("first.png", "second.tif"):
        assert listed[name]["size"] == (images / name).stat().st_size
        assert (listed[name]["size_x"], listed[name]["size_y"]) == (64, 48)
        assert listed[name]["fileset"]
    (images / "third.png").unlink()
    done = root.run("import", "--exclude", "clientpath", str(images))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "2 skipped" in done.stderr
    assert "Managed" in root.ok("fs", "repos")
    sets = root.json("fs", "sets", "--style", "json")["filesets"]
    assert {entry["id"] for entry in sets} >= {image["fileset"] for image in listed.values()}


def test_who_shows_no_keys(root: Omero) -> None:
    output = root.ok("sessions", "who") + root.ok("sessions", "list")
    stored = [path.name for path in (root.home / "omero" / "sessions").rglob("*") if len(path.name) == 36]
    assert "root" in output
    assert stored
    assert not any(key in output for key in stored)


def test_search_answers_or_says_that_the_indexer_is_away(root: Omero) -> None:
    done = root.run("search", "first")
    assert done.returncode == 4
    assert len([line for line in done.stderr.splitlines() if not line.startswith("  ->")]) == 1


def test_large_files_go_both_ways(live_server: LiveServer, root: Omero, tmp_path: Path) -> None:  # noqa: F811
    import pyvips

    path = tmp_path / "large.tif"
    pyvips.Image.gaussnoise(3000, 3000).cast("uchar").write_to_file(str(path))
    assert path.stat().st_size > 8_000_000
    image = root.json("import", "--json", str(path))["imported"][0]["images"][0]["id"]
    trust = Trust(live_server.certificate, system=False)
    with Client(Address("localhost", live_server.ssl_port), trust=trust) as client:
        client.open_session("root", ROOT_PASSWORD)
        file = client.get(f"/images/{image}/files")["files"][0]
        received = bytearray()
        client.download(f"/files/{file['id']}/content", received.extend)
        client.close_session()
    assert received == path.read_bytes()


def test_an_instance_of_others_is_no_hindrance(omero: Omero, live_server: LiveServer) -> None:  # noqa: F811
    if os.geteuid() == 0:
        pytest.skip("root may read anything")
    etc = live_server.runtime.instance.etc
    etc.chmod(0)
    try:
        done = omero.run(
            "login", f"root@localhost:{live_server.ssl_port}", "--ca-file", str(live_server.certificate),
            "--password-file", "password",
        )  # fmt: skip
    finally:
        etc.chmod(0o700)
    assert done.returncode == 0, done.stderr
