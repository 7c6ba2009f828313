"""The client that the other servers use, against a running Blitz."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.runtime.kernel.client import InternalClient
from omeroadmin.schema.instance import Instance
from omeroadmin.system.sockets import listen_unix
from tests.support.liveserver import LiveServer


def test_an_import_in_a_users_name(live_server: LiveServer) -> None:
    import pyvips

    user = live_server.add_user()
    content = bytes(pyvips.Image.black(30, 20).pngsave_buffer())
    client = InternalClient(live_server.runtime.instance)
    session = client.open_session(user, "OMERO.fs")
    assert session["user"] == user
    announced = {"files": [{"client_path": "/drop/a.png", "size": len(content)}]}
    started = client.request("POST", "/api/v0/imports", announced)
    base = f"/api/v0/imports/{started['import_id']}"
    stored = client.upload(f"{base}/files/0", io.BytesIO(content), len(content))
    digest = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert stored == {"index": 0, "size": len(content), "hash": digest}
    done = client.request("POST", f"{base}/complete", {"hashes": [digest]})
    assert client.request("GET", f"/api/v0/images/{done['images'][0]['id']}")["owner"] == user
    with pytest.raises(AdminError) as caught:
        client.request("GET", "/api/v0/images/999999")
    assert (caught.value.code, caught.value.exit_status) == ("not-found", ExitStatus.FAILED)
    client.close_session()
    client.close_session()
    with pytest.raises(AdminError) as caught:
        client.request("GET", "/api/v0/sessions/current")
    assert caught.value.code == "session-expired"
    with pytest.raises(AdminError) as caught:
        client.open_session("nobody-of-this-name", "OMERO.fs")
    assert caught.value.code == "not-found"


def test_no_blitz_is_unreachable(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    instance.run_directory.mkdir(parents=True)
    with pytest.raises(AdminError) as caught:
        InternalClient(instance).request("GET", "/api/v0/status")
    assert (caught.value.code, caught.value.exit_status) == ("blitz-unavailable", ExitStatus.UNREACHABLE)
    with listen_unix(instance.run_directory / "Blitz-0-internal.sock"), pytest.raises(AdminError) as caught:
        InternalClient(instance, timeout=0.2).request("GET", "/api/v0/status")
    assert caught.value.code == "blitz-unavailable"
