"""Blitz is killed in the middle of an upload: nothing of it is visible, and its files go at the next start."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.liveserver import LiveServer, live, start_all


def test_a_killed_upload_leaves_nothing(tmp_path: Path) -> None:
    import pyvips

    content = bytes(pyvips.Image.gaussnoise(400, 400, seed=1).cast("uchar").pngsave_buffer())
    with live(tmp_path) as server:
        start_all(server)
        api = server.tls().login()
        kept = api.import_files(("/kept.png", content))
        assert kept.status == 201
        number = api.begin_import(("/lost/a.png", content), ("/lost/b.png", content)).document["import_id"]
        assert api.call("PUT", f"/imports/{number}/files/0", content).status == 200
        with socket.create_connection(("127.0.0.1", server.tcp_port), timeout=30) as connection:
            head = (
                f"PUT /api/v0/imports/{number}/files/1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.key}\r\n"
                f"Content-Length: {len(content)}\r\n\r\n"
            )
            connection.sendall(head.encode() + content[: len(content) // 2])
            assert wait_until(lambda: bool(list(server.managed.rglob("*.part"))), timeout=10)
            blitz = next(process for process in server.runtime.servers if process.kind == "Blitz")
            blitz.process.send_signal(signal.SIGKILL)
            blitz.process.wait(10)
            assert connection.recv(65536).startswith(b"HTTP/1.1 503")
        assert_only_kept(server, content)
        server.runtime.start("Blitz", "Blitz-0")
        assert [path.name for path in server.imported_files()] == ["kept.png"]
        assert not list(server.managed.rglob("*.part"))
        after = server.tls()
        after.key = api.key
        assert [image["name"] for image in after.call("GET", "/images").document["images"]] == ["kept.png"]
        assert after.call("POST", f"/imports/{number}/complete", {"hashes": ["", ""]}).status == 404
        assert after.import_files(("/lost/a.png", content), ("/lost/b.png", content)).status == 201


def assert_only_kept(server: LiveServer, content: bytes) -> None:
    """The database knows the complete import and nothing else."""
    rows = server.sql("SELECT name, size FROM originalfile WHERE repo IS NOT NULL AND mimetype = 'image/png'")
    assert rows == [("kept.png", len(content))]
    assert server.sql("SELECT count(*) FROM fileset") == [(1,)]


@pytest.mark.parametrize("moment", ["after the rows", "before the rows"])
def test_a_marker_decides_by_the_database(tmp_path: Path, moment: str) -> None:
    """A kill between the commit and the removal of the marker must not cost the files."""
    import json

    import pyvips

    content = bytes(pyvips.Image.black(8, 8).pngsave_buffer())
    with live(tmp_path) as server:
        start_all(server)
        api = server.tls().login()
        assert api.import_files(("/one.png", content)).status == 201
        prefix = api.call("GET", "/filesets").document["filesets"][0]["prefix"]
        server.runtime.servers[1].kill()
        if moment == "before the rows":
            server.sql("DELETE FROM filesetentry")
            server.sql("DELETE FROM filesetjoblink")
            server.sql("DELETE FROM filesetannotationlink")
            server.sql("UPDATE image SET fileset = NULL")
            server.sql("DELETE FROM fileset")
        marker = server.managed / ".omero" / "imports" / "Blitz-0" / "99.json"
        marker.write_text(json.dumps({"directory": prefix.rstrip("/")}))
        server.runtime.start("Blitz", "Blitz-0")
        assert (server.managed / prefix / "one.png").exists() is (moment == "after the rows")
        assert (server.managed / f"{prefix.rstrip('/')}.log").exists() is (moment == "after the rows")
        assert not marker.exists()
