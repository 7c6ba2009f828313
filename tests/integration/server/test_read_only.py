"""A second server on the same data that writes nothing, because it is told so or finds that it can't."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omeroadmin.database.connection import connect
from omeroadmin.runtime.kernel.client import UnixConnection
from omeroadmin.runtime.services.blitz.http.routes import PUBLIC
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.checks.model import Subject
from omeroadmin.workflows.checks.places import directories
from tests.integration.server.test_blitz_imports import picture
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import PASSWORD, Api, LiveServer, live, start_all
from tests.support.runtime import Runtime, running

FLAGS = {"omero.cluster.read_only.db": "true", "omero.cluster.read_only.repo": "true"}


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The server that writes, with an image."""
    with live(tmp_path_factory.mktemp("writer")) as server:
        start_all(server)
        assert server.tls().login().import_files(("/a/first.png", picture(601))).status == 201
        yield server


@contextlib.contextmanager
def second(writer: LiveServer, directory: Path, **properties: str) -> Iterator[tuple[Runtime, Api]]:
    """Blitz of another instance on the same database and repository."""
    own = {name.replace("__", "."): value for name, value in properties.items()}
    with running(directory / "second", {**writer.runtime.properties, **own}) as runtime:
        for path in (runtime.instance.run_directory, runtime.instance.log_directory):
            path.mkdir(parents=True, exist_ok=True)
        runtime.start("Blitz", "Blitz-0", "-Xmx512m")
        connection = UnixConnection(runtime.instance.run_directory / "Blitz-0.sock", 60)
        try:
            yield runtime, Api(connection)
        finally:
            connection.close()


@pytest.fixture(scope="module")
def reader(writer: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A client of a server that is read-only in every way, with a session of root."""
    with second(writer, tmp_path_factory.mktemp("reader"), **FLAGS) as (_, api):
        yield api.login()


def traces(writer: LiveServer) -> dict[str, Any]:
    """Everything that a server could leave."""
    tables = writer.sql(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname = 'public' ORDER BY 1"
    )
    found: dict[str, Any] = {
        name: writer.sql(f"SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM \"{name}\" t")
        for (name,) in tables
    }
    found["sequences"] = writer.sql("SELECT sequencename::text, last_value FROM pg_sequences ORDER BY 1")
    found["files"] = sorted(
        (str(path), path.stat().st_mtime_ns) for path in writer.data.rglob("*") if not path.name.startswith(".tmp")
    )
    return found


def test_nothing_is_left(writer: LiveServer, tmp_path: Path) -> None:
    name = writer.add_user()
    # A directory's time changes when a file is tried in it; where that is so, it is told to be read-only.
    before = traces(writer)
    with second(writer, tmp_path, **FLAGS) as (runtime, api):
        assert api.call("GET", "/status").document["read_only"] is True
        health = runtime.servers[0].health()
        assert health is not None
        assert health["detail"]["read_only"] == {"db": True, "repo": True}
        # The hash of a new user is OMERO's own; a server that writes would store it anew.
        api.login(name, PASSWORD)
        [image, *_] = Api(api.connection).login().call("GET", "/images").document["images"]
        assert image["name"]
        assert api.call("DELETE", "/sessions/current").status == 204
        assert "read-only status: db=true, repo=true" in runtime.servers[0].tail()
        assert runtime.servers[0].stop() == 0
    assert traces(writer) == before


@pytest.mark.parametrize("operation", [one for one in PUBLIC if one.changes], ids=lambda one: one.id)
def test_every_change_is_refused(reader: Api, operation: Any) -> None:
    path = re.sub(r"{(\w+)}", lambda name: "Image" if name[1] in ("type", "name") else "1", operation.path)
    answer = reader.call(operation.method, path, b"" if operation.body is None else b"{}")
    assert (answer.status, answer.code) == (403, "read-only")
    assert "read-only" in answer.document["error"]["message"]


def test_reading_goes_on(writer: LiveServer, reader: Api) -> None:
    imported = writer.tls().login().import_files(("/a/later.png", picture(602)))
    number = imported.document["images"][0]["id"]
    assert reader.call("GET", f"/images/{number}").document["name"]
    [file] = reader.call("GET", f"/images/{number}/files").document["files"]
    assert reader.call("GET", f"/files/{file['id']}/content").content == picture(602)


def test_sessions_are_in_memory(writer: LiveServer, reader: Api) -> None:
    api = Api(reader.connection).login()
    assert writer.sql("SELECT count(*) FROM session WHERE uuid = %s", api.key) == [(0,)]
    assert writer.tls().call("GET", "/sessions/current", headers={"Authorization": f"Bearer {api.key}"}).status == 401
    listed = api.call("GET", "/sessions").document["sessions"]
    assert {session["user"] for session in listed} == {"root"}
    assert len(listed) >= 2
    changed = api.call("PATCH", "/sessions/current", {"group": "user", "time_to_idle_ms": 60_000})
    assert (changed.document["group"], changed.document["time_to_idle_ms"]) == ("user", 60_000)
    assert api.call("GET", "/sessions/current").document["group"] == "user"
    assert api.call("POST", "/sessions/current/keepalive").status == 204
    other = Api(reader.connection).login()
    newest = max(session["id"] for session in api.call("GET", "/sessions").document["sessions"])
    assert api.call("DELETE", f"/sessions/{newest}").status == 204
    assert other.call("GET", "/sessions/current").status == 401
    assert api.call("DELETE", "/sessions/current").status == 204
    assert api.call("GET", "/sessions/current").status == 401


def test_a_session_ends_when_it_is_not_used(writer: LiveServer, reader: Api) -> None:
    user = writer.add_user()
    answer = reader.call(
        "POST", "/sessions", {"user": user, "password": PASSWORD, "agent": "tests", "time_to_idle_ms": 60_000}
    )
    assert answer.status == 201, answer.document
    assert answer.document["time_to_idle_ms"] == 60_000


def test_a_role_that_may_only_read(writer: LiveServer, tmp_path: Path) -> None:
    address = replace(writer.database.superuser, name=writer.database.address.name)
    with connect(address, autocommit=True) as connection:
        connection.execute(b"CREATE ROLE visitor LOGIN PASSWORD 'visitor'")
        connection.execute(f"GRANT CONNECT ON DATABASE {address.name} TO visitor".encode())
        connection.execute(b"GRANT SELECT ON ALL TABLES IN SCHEMA public TO visitor")
    with second(writer, tmp_path, omero__db__user="visitor", omero__db__pass="visitor") as (runtime, api):
        assert "read-only status: db=true, repo=false" in runtime.servers[0].tail()
        api.login("root", ROOT_PASSWORD)
        assert api.call("GET", "/images").status == 200
        assert api.call("POST", "/imports", {}).code == "read-only"


def test_a_repository_that_can_not_be_written(writer: LiveServer, tmp_path: Path) -> None:
    closed = [writer.data, writer.managed]
    modes = [stat.S_IMODE(path.stat().st_mode) for path in closed]
    try:
        for path in closed:
            path.chmod(0o555)
        with second(writer, tmp_path) as (runtime, api):
            assert "read-only status: db=false, repo=true" in runtime.servers[0].tail()
            api.login()
            assert api.call("GET", "/status").document["read_only"] is True
            refused = api.call("POST", "/imports", {})
            assert refused.code == "read-only"
            assert "repository" in refused.document["error"]["message"]
            assert api.call("POST", "/uploads", {}).code == "read-only"
            assert api.call("POST", "/directories", {}).code == "read-only"
            # The database takes what needs no file.
            [image, *_] = api.call("GET", "/images").document["images"]
            changed = api.call("PATCH", f"/objects/Image/{image['id']}", {"fields": {"description": "seen"}})
            assert changed.status == 200, changed.document
    finally:
        for path, mode in zip(closed, modes, strict=True):
            path.chmod(mode)


def test_a_repository_that_no_server_has_used(writer: LiveServer, tmp_path: Path) -> None:
    data = tmp_path / "empty"
    data.mkdir()
    properties = {**writer.runtime.properties, **FLAGS, "omero.data.dir": str(data)}
    properties.pop("omero.managed.dir", None)
    with running(tmp_path / "second", properties) as runtime:
        for path in (runtime.instance.run_directory, runtime.instance.log_directory):
            path.mkdir(parents=True, exist_ok=True)
        blitz = runtime.start("Blitz", "Blitz-0", wait=False)
        assert blitz.process.wait(30) == 78
        assert "is no repository of this database, and a read-only server makes none" in blitz.failure
    assert list(data.iterdir()) == []


def test_diagnostics_say_it(writer: LiveServer, tmp_path: Path) -> None:
    settings = Settings({"omero.data.dir": str(writer.data), "omero.cluster.read_only.db": "true"})
    subject = Subject(writer.runtime.instance, settings, {}, tmp_path, parse_logs=False)
    items = {item.name: item for item in directories(subject).items}
    assert items["read-only"].evidence == "db=true, repo=false: the server refuses changes"
