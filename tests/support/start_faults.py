"""A whole instance with the servers OMERO.Glacier2 and Blitz-0, and faults that hit it before or during a start."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from omeroadmin.certificates import facts, files
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.errors import AdminError
from omeroadmin.profiles.store import load_settings, update_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import clock
from omeroadmin.workflows import lifecycle
from omeroadmin.workflows.lifecycle import StartOptions
from tests.support.ports import free_port

Fault = contextlib.AbstractContextManager[None]


@dataclass
class FailedStart:
    """What came of a start.

    :param said: what it said besides its error
    :param seconds: from the fault to the end, what was started stopped again
    """

    error: AdminError
    said: list[str]
    seconds: float

    @property
    def cause(self) -> str:
        """Code of the likely cause."""
        lines = [line for line in self.said if line.startswith("Likely cause: ")]
        return lines[-1].rpartition("(")[2].rstrip(")") if lines else ""


@dataclass
class Faulty:
    """A stopped instance that could be started, if it weren't for a fault."""

    instance: Instance
    said: list[str] = field(default_factory=list)
    trigger: Callable[[str], None] = lambda _line: None

    @property
    def settings(self) -> Settings:
        """The properties in force."""
        return load_settings(self.instance)

    def say(self, line: str) -> None:
        """What the start says."""
        self.said.append(line)

    def progress(self, line: str) -> None:
        """What the start does."""
        self.trigger(line)

    def fail(self, fault: Fault, *, at: str | None = None, keep: bool = False) -> FailedStart:
        """Start with a fault, which must make it fail.

        :param at: the step of the start that the fault comes with; ``None``: it is there before
        """
        self.said.clear()
        with contextlib.ExitStack() as stack:
            began = clock.monotonic()

            def strike(line: str) -> None:
                nonlocal began
                if line == at:
                    stack.enter_context(fault)
                    began = clock.monotonic()

            self.trigger = strike
            if at is None:
                stack.enter_context(fault)
            try:
                lifecycle.start(self.instance, StartOptions(keep=keep), self)
            except AdminError as error:
                return FailedStart(error, list(self.said), clock.monotonic() - began)
            raise AssertionError("it started")

    @contextlib.contextmanager
    def properties(self, **values: str) -> Iterator[None]:
        """Other values of properties, dots written as two underscores."""
        before = self.settings.explicit()
        changed = {name.replace("__", "."): value for name, value in values.items()}
        update_profile(self.instance.config_xml, changed)
        try:
            yield
        finally:
            kept = {name: before[name] for name in changed if name in before}
            update_profile(self.instance.config_xml, kept, [name for name in changed if name not in before])

    @contextlib.contextmanager
    def sql(self, do: str, undo: str, *, as_superuser: bool = True) -> Iterator[None]:
        """A statement against the running cluster, taken back at the end."""
        embedded.start(self.instance, self.settings)
        address = embedded.superuser_address(self.instance, self.settings)
        if not as_superuser:
            address = DatabaseAddress.from_settings(self.settings)
        _execute(address, do)
        try:
            yield
        finally:
            embedded.start(self.instance, self.settings)
            _execute(address, undo)

    @contextlib.contextmanager
    def database_down(self) -> Iterator[None]:
        """PostgreSQL has stopped."""
        embedded.stop(self.instance, self.settings)
        yield

    @contextlib.contextmanager
    def port_held(self, name: str) -> Iterator[None]:
        """Somebody else listens on a port."""
        with socket.create_server(("127.0.0.1", self.settings.port(name))):
            yield

    @contextlib.contextmanager
    def moved(self, path: Path) -> Iterator[None]:
        """A file or directory isn't there."""
        away = path.with_name(f"{path.name}.away")
        path.rename(away)
        try:
            yield
        finally:
            if path.is_dir():
                shutil.rmtree(path)
            away.rename(path)

    @contextlib.contextmanager
    def mode(self, path: Path, mode: int) -> Iterator[None]:
        """A file or directory has another mode."""
        before = path.stat().st_mode & 0o7777
        path.chmod(mode)
        try:
            yield
        finally:
            path.chmod(before)

    @contextlib.contextmanager
    def content(self, path: Path, content: bytes) -> Iterator[None]:
        """A file holds something else."""
        before = path.read_bytes()
        path.write_bytes(content)
        try:
            yield
        finally:
            path.write_bytes(before)

    @property
    def bundle(self) -> Path:
        """The certificate that the router shows."""
        return facts.certificate_files(self.settings).bundle

    def old_bundle(self, days_ago: int, days: int) -> bytes:
        """A certificate for the key that is there, made some days ago."""
        places = facts.certificate_files(self.settings)
        key = places.key.read_bytes()
        wanted = files.Wanted(("localhost",), (), days)
        certificate = files.self_signed(key, wanted, clock.utc_now() - timedelta(days=days_ago))
        return files.bundle(key, certificate, places.password)


def small_grid(instance: Instance) -> None:
    """Free ports, and no more servers than a fault needs."""
    ports = {f"omero.ports.{name}": str(free_port()) for name in ("ssl", "tcp", "registry")}
    update_profile(instance.config_xml, {**ports, "omero.server.nodedescriptors": "master:Blitz-0"})


def _execute(address: DatabaseAddress, statement: str) -> None:
    with connect(address, autocommit=True) as connection:
        connection.execute(statement.encode())
