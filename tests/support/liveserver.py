"""A database and the servers Blitz-0, OMERO.IceStorm and OMERO.Glacier2 as real processes, and a client for them.

A test file takes the fixture by name::

    from tests.support.liveserver import live_server  # noqa: F401 - a fixture
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import re
import secrets
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omeroadmin.database.connection import connect
from omeroadmin.database.passwords import omero_hash
from omeroadmin.profiles.store import update_profile
from omeroadmin.runtime.kernel.client import UnixConnection
from tests.support import certificates
from tests.support.database import ROOT_PASSWORD, DatabaseUnderTest, running_database
from tests.support.omero import Omero
from tests.support.ports import free_port
from tests.support.runtime import Runtime, running

PASSWORD = "a user's password"


@dataclass
class Answer:
    """An answer of the API."""

    status: int
    document: Any
    headers: dict[str, str]
    content: bytes

    @property
    def code(self) -> str:
        """Code of the error."""
        return str(self.document["error"]["code"])


class Api:
    """A client of the API that doesn't hide anything.

    :param key: session key
    """

    def __init__(self, connection: http.client.HTTPConnection, key: str = "") -> None:
        self.connection = connection
        self.key = key

    def call(self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> Answer:
        """One request; bytes are sent as they are, anything else as JSON."""
        sent = dict(headers or {})
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        target = path if path.startswith("/internal") else f"/api/v0{path}"
        self.connection.request(method, target, body=content, headers=sent)
        response = self.connection.getresponse()
        text = response.read()
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return Answer(response.status, json.loads(text) if is_json else None, dict(response.headers), text)

    def login(self, user: str = "root", password: str = ROOT_PASSWORD) -> Api:
        """Log in or fail."""
        answer = self.call("POST", "/sessions", {"user": user, "password": password, "agent": "tests"})
        assert answer.status == 201, answer
        self.key = answer.document["key"]
        return self

    def begin_import(self, *files: tuple[str, bytes], **more: Any) -> Answer:
        """Announce files."""
        announced = [{"client_path": path, "size": len(content)} for path, content in files]
        return self.call("POST", "/imports", {"files": announced, "agent": "tests", **more})

    def import_files(self, *files: tuple[str, bytes], name: str | None = None, **more: Any) -> Answer:
        """A whole import; the answer is that of its last step."""
        begun = self.begin_import(*files, checksum_algorithms=["SHA1-160"])
        assert begun.status == 201, begun
        number = begun.document["import_id"]
        for index, (_, content) in enumerate(files):
            stored = self.call("PUT", f"/imports/{number}/files/{index}", content)
            assert stored.status == 200, stored
        hashes = [hashlib.sha1(content, usedforsecurity=False).hexdigest() for _, content in files]
        return self.call("POST", f"/imports/{number}/complete", {"hashes": hashes, "name": name, **more})

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


@dataclass
class LiveServer:
    """A server that runs.

    :param ssl_port: of OMERO.Glacier2
    :param tcp_port: its plain port
    :param ws_port: its plain port for WebSocket
    :param wss_port: its port for WebSocket over TLS
    """

    database: DatabaseUnderTest
    runtime: Runtime
    ssl_port: int
    tcp_port: int
    ws_port: int = field(default_factory=free_port)
    wss_port: int = field(default_factory=free_port)
    clients: list[Api] = field(default_factory=list)

    @property
    def data(self) -> Path:
        """The binary repository."""
        return self.database.settings.data_directory

    @property
    def managed(self) -> Path:
        """The managed repository."""
        return self.database.settings.managed_repository

    def imported_files(self) -> list[Path]:
        """Files of imports, finished or not; each log of an import must be beside the import's directory."""
        found = [path for path in self.managed.rglob("*") if path.is_file() and ".omero" not in path.parts]
        logs = {path for path in found if path.suffix == ".log" and re.fullmatch(r"[0-9]{2}[-0-9.]*\.log", path.name)}
        assert all(path.with_suffix("").is_dir() for path in logs), logs
        return [path for path in found if path not in logs]

    @property
    def certificate(self) -> Path:
        """The self-signed certificate."""
        return self.data / "certs" / "server.pem"

    def tls_context(self) -> ssl.SSLContext:
        """A client's settings that trust the server's certificate and nothing else."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def tls(self) -> Api:
        """A client of the ssl port."""
        return self._kept(
            http.client.HTTPSConnection("localhost", self.ssl_port, context=self.tls_context(), timeout=60)
        )

    def plain(self) -> Api:
        """A client of the tcp port."""
        return self._kept(http.client.HTTPConnection("127.0.0.1", self.tcp_port, timeout=60))

    def local(self, server_id: str = "Blitz-0", *, internal: bool = False) -> Api:
        """A client of a Blitz's socket."""
        suffix = "-internal" if internal else ""
        path = self.runtime.instance.run_directory / f"{server_id}{suffix}.sock"
        return self._kept(UnixConnection(path, 60))

    def sql(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Run a statement in the database."""
        with connect(self.database.address, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def add_user(self, *, permissions: int = -120, group: str | None = None, active: bool = True) -> str:
        """A new user with :data:`PASSWORD`, in a group of its own or the one named.

        :param permissions: of a new group
        :return: the user's name
        """
        name = f"user-{secrets.token_hex(4)}"
        with connect(self.database.address) as connection:
            user_id = _number(connection, "SELECT ome_nextval('seq_experimenter')")
            connection.execute(
                "INSERT INTO experimenter (id, permissions, version, omename, firstname, lastname)"
                " VALUES (%s, -52, 0, %s, 'A', 'User')",
                (user_id, name),
            )
            connection.execute(
                "INSERT INTO password (experimenter_id, hash) VALUES (%s, %s)", (user_id, omero_hash(user_id, PASSWORD))
            )
            groups = [_group(connection, group or f"group-of-{name}", permissions), *([1] if active else [])]
            for index, group_id in enumerate(groups):
                connection.execute(
                    "INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)"
                    " VALUES (ome_nextval('seq_groupexperimentermap'), -52, 0, %s, %s, %s, false)",
                    (group_id, user_id, index),
                )
        return name

    def close(self) -> None:
        """Close all clients."""
        for client in self.clients:
            client.close()

    def _kept(self, connection: http.client.HTTPConnection) -> Api:
        self.clients.append(Api(connection))
        return self.clients[-1]


def _number(connection: psycopg.Connection[Any], statement: str, *parameters: object) -> int:
    row = connection.execute(statement.encode(), parameters or None).fetchone()
    assert row is not None
    return int(row[0])


def _group(connection: psycopg.Connection[Any], name: str, permissions: int) -> int:
    row = connection.execute("SELECT id FROM experimentergroup WHERE name = %s", (name,)).fetchone()
    if row is not None:
        return int(row[0])
    return _number(
        connection,
        "INSERT INTO experimentergroup (id, permissions, version, name)"
        " VALUES (ome_nextval('seq_experimentergroup'), %s, 0, %s) RETURNING id",
        permissions,
        name,
    )


@contextlib.contextmanager
def live(directory: Path) -> Iterator[LiveServer]:
    """A database with a certificate and a runtime in which nothing is started yet."""
    with running_database(directory) as database:
        issued = certificates.complete_settings(database.settings.data_directory)
        (database.settings.data_directory / "certs").mkdir(exist_ok=True)
        certificates.make(issued)
        properties = {**database.settings.explicit(), **issued.explicit()}
        with running(database.instance.omerodir, properties) as runtime:
            server = LiveServer(database, runtime, free_port(), free_port())
            try:
                yield server
            finally:
                server.close()


def start_all(server: LiveServer, **properties: str) -> LiveServer:
    """Start IceStorm, Blitz-0 and Glacier2, and wait until they are ready.

    :param properties: of Blitz, dots written as two underscores
    """
    runtime = server.runtime
    own = {name.replace("__", "."): value for name, value in properties.items()}
    started = [
        runtime.start("IceStorm", "OMERO.IceStorm", wait=False),
        runtime.start("Blitz", "Blitz-0", "-Xmx512m", properties=own, wait=False),
        start_router(server, wait=False),
    ]
    for process in started:
        process.wait_ready()
    return server


def start_router(server: LiveServer, *, wait: bool = True, **properties: str) -> Any:
    """Start Glacier2 on the server's ports."""
    endpoints = f"ssl -p {server.ssl_port} -h localhost:tcp -p {server.tcp_port} -h 127.0.0.1"
    endpoints += f":ws -p {server.ws_port} -h 127.0.0.1:wss -p {server.wss_port} -h localhost"
    own = {"Glacier2.Client.Endpoints": endpoints}
    own |= {name.replace("__", "."): value for name, value in properties.items()}
    return server.runtime.start("Glacier2", "OMERO.Glacier2", properties=own, wait=wait)


def command_line(server: LiveServer, home: Path) -> Omero:
    """The command line of a user of the server, who finds its ports and its certificate by way of OMERODIR.

    :param home: gets a file ``password`` with that of root
    """
    instance = server.runtime.instance
    instance.grid_directory.mkdir(parents=True, exist_ok=True)
    properties = {**server.runtime.properties, "omero.ports.ssl": str(server.ssl_port)}
    update_profile(instance.config_xml, {**properties, "omero.ports.tcp": str(server.tcp_port)})
    (home / "password").write_text(ROOT_PASSWORD)
    return Omero(home, extra={"OMERODIR": str(instance.omerodir)})


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all tests that only add to it; logins are throttled for a quarter of a second."""
    with live(tmp_path_factory.mktemp("live")) as server:
        yield start_all(server, omero__security__login_failure_throttle_time="250", omero__sessions__maximum="86400000")
