"""A PostgreSQL as a distribution leaves it: nothing but a superuser who comes in through the socket."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.database import all_programs
from tests.support.ports import free_port


@dataclass(frozen=True)
class BarePostgres:
    """A running server.

    :param directory: of its data; its socket is beside it
    """

    directory: Path
    port: int

    @property
    def fields(self) -> dict[str, Any]:
        """How an operation reaches it."""
        return {"port": self.port, "socket": str(self.directory.parent), "account": getpass.getuser()}

    def query(self, statement: str, database: str = "postgres") -> str:
        """What psql says to a statement, as the superuser."""
        return self.psql("-h", str(self.directory.parent), "-d", database, "-c", statement).stdout.strip()

    def psql(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run psql."""
        program = all_programs()[-1].path("psql")
        return subprocess.run(
            [program, "-XAtq", "-p", str(self.port), *arguments],
            env=variables, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip

    def control(self, *arguments: str) -> None:
        """Run pg_ctl."""
        program = all_programs()[-1].path("pg_ctl")
        subprocess.run(
            [program, *arguments, "-D", str(self.directory), "-s", "-w", "-t", "30"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True,
        )  # fmt: skip


@contextmanager
def bare_postgres(directory: Path) -> Iterator[BarePostgres]:
    """A server with local logins by account and others by password."""
    made = BarePostgres(directory / "data", free_port())
    initdb = all_programs()[-1].path("initdb")
    subprocess.run(
        [
            initdb, "-D", made.directory, "-N", "-E", "UTF8", "--locale=C", "--auth-local=peer",
            "--auth-host=scram-sha-256",
        ],
        stdout=subprocess.DEVNULL, timeout=60, check=True,
    )  # fmt: skip
    with (made.directory / "postgresql.conf").open("a") as stream:
        stream.write(f"port={made.port}\nunix_socket_directories='{directory}'\nfsync=off\nshared_buffers=16MB\n")
    made.control("start", "-l", str(directory / "log"))
    try:
        yield made
    finally:
        made.control("stop", "-m", "immediate")
