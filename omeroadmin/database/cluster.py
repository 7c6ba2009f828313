"""One PostgreSQL cluster on disk: made, started and stopped as this user, with a password for everybody.

PostgreSQL's programs hand paths on to a shell, so they are given names relative to the cluster's parent directory.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.limits import MAX_CONNECTIONS
from omeroadmin.database.programs import Programs
from omeroadmin.errors import AdminError, configuration_error, failed_error, unreachable_error
from omeroadmin.render.engine import render
from omeroadmin.system import files, process, sockets
from omeroadmin.system.clock import wait_until

LOOPBACK = "127.0.0.1"
"""The only address that our clusters listen on."""
SUPERUSER = "postgres"
"""Role that owns a cluster."""

_INITDB_TIMEOUT = 120.0
_SETTINGS_FILE = "omero.conf"
_ENVIRONMENT = {"LC_ALL": "C", "PGTZ": "UTC"}
"""PostgreSQL's words in English, whatever the admin's language: they are looked at."""


_LEFTOVERS_TIMEOUT = 5.0
_LAST_BYTES = 1 << 16


@dataclass(frozen=True)
class Cluster:
    """Where a cluster keeps its files.

    :param directory: 0700; holds data, log and password
    :param log: what the server says, mode 0600
    """

    directory: Path
    log: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.directory / "data"

    @property
    def password_file(self) -> Path:
        """The superuser's password, mode 0600."""
        return self.directory / "superuser_password"

    @property
    def exists(self) -> bool:
        """Whether it was made, to the end."""
        return (self.data / "PG_VERSION").is_file()

    def superuser(self, port: int) -> DatabaseAddress:
        """Where the superuser logs in.

        :raises AdminError: ``file-not-read``
        """
        password = files.read_text(self.password_file).strip()
        return DatabaseAddress(LOOPBACK, port, "postgres", SUPERUSER, password)


@dataclass(frozen=True)
class Postmaster:
    """A running server.

    :param pid: its process
    :param port: the port it listens on
    """

    pid: int
    port: int


def initialise(cluster: Cluster, programs: Programs, *, durable: bool = True) -> None:
    """Make the cluster: UTF-8, checksums, scram-sha-256 for all logins, a random password for the superuser.

    The data directory takes its name only when it is whole.

    :param durable: whether the files must be on disk at the end
    :raises AdminError: ``database-as-root``, ``cluster-not-made``
    """
    refuse_root()
    files.make_directory(cluster.directory, mode=0o700)
    files.write_atomically(cluster.password_file, secrets.token_urlsafe(24) + "\n", mode=files.SECRET_MODE)
    unfinished = cluster.directory / "data.unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    arguments = [
        programs.path("initdb"),
        f"--pgdata={unfinished.name}",
        f"--username={SUPERUSER}",
        f"--pwfile={cluster.password_file.name}",
        "--auth-host=scram-sha-256",
        "--auth-local=scram-sha-256",
        "--encoding=UTF8",
        f"--locale={_locale()}",
        "--data-checksums",
        *(() if durable else ("--no-sync",)),
    ]
    done = process.run(arguments, timeout=_INITDB_TIMEOUT, environment=_ENVIRONMENT, directory=cluster.directory)
    if not done.succeeded:
        raise failed_error(
            "cluster-not-made",
            f"initdb could not make a cluster in {cluster.directory}: {done.last_words()}",
            f"check the space left and who owns it: df -h {cluster.directory}; ls -ld {cluster.directory}",
        )
    with (unfinished / "postgresql.conf").open("a", encoding="utf-8") as stream:
        stream.write(f"\n# Written at each start.\ninclude = '{_SETTINGS_FILE}'\n")
    unfinished.rename(cluster.data)
    if durable:
        files.sync_directory(cluster.directory)


def refuse_root() -> None:
    """PostgreSQL does not run as root, and OMERO should not.

    :raises AdminError: ``database-as-root``
    """
    if os.geteuid() == 0:
        raise configuration_error(
            "database-as-root",
            "PostgreSQL refuses to run as root",
            "run omero as the user who owns the instance: runuser -u omero-server -- omero …",
        )


def _locale() -> str:
    done = process.run(["locale", "-a"], timeout=10) if process.find_program("locale") else None
    has_utf8 = done is not None and any(name.lower() in ("c.utf-8", "c.utf8") for name in done.output.split())
    return "C.UTF-8" if has_utf8 else "C"


def start(cluster: Cluster, programs: Programs, *, port: int, timeout: float, durable: bool = True) -> Postmaster:
    """Start the server and wait until it takes connections; one that runs on this port already is left alone.

    :param port: port on loopback
    :param timeout: seconds
    :param durable: false for a throwaway cluster
    :raises AdminError: ``database-as-root``, ``port-taken``, ``database-not-started``
    """
    refuse_root()
    running = postmaster(cluster)
    if running is not None and running.port == port:
        _wait_ready(cluster, port, timeout)
        return running
    if running is not None:
        stop(cluster, programs, timeout=timeout)
    if not sockets.port_is_free(port, LOOPBACK):
        raise configuration_error(
            "port-taken",
            f"port {port}, which omero.db.port gives PostgreSQL, is taken by {sockets.port_holder(port)}",
            "stop that process, or take another port: omero config set omero.db.port PORT",
        )
    _forget_stale_pid(cluster)
    _write_settings(cluster, port, durable=durable)
    _open_log(cluster.log)
    arguments: list[str | Path] = [
        programs.path("pg_ctl"),
        "start",
        "--silent",
        "--wait",
        f"--timeout={max(1, round(timeout))}",
        f"--pgdata={cluster.data.name}",
        f"--log={os.path.relpath(cluster.log, cluster.directory)}",
    ]
    done = process.run(arguments, timeout=timeout + 10, environment=_ENVIRONMENT, directory=cluster.directory)
    running = postmaster(cluster)
    if not done.succeeded or running is None:
        raise _not_started(cluster, port, done.last_words())
    _wait_ready(cluster, port, timeout)
    return running


def _not_started(cluster: Cluster, port: int, otherwise: str) -> AdminError:
    return failed_error(
        "database-not-started",
        f"PostgreSQL could not be started on port {port}: {_last_complaint(cluster.log) or otherwise}",
        f"read its log: tail {cluster.log}",
    )


def _write_settings(cluster: Cluster, port: int, *, durable: bool) -> None:
    context = {"port": port, "max_connections": MAX_CONNECTIONS, "throwaway": not durable}
    text = render("postgresql/omero.conf.j2", context)
    path = cluster.data / _SETTINGS_FILE
    if not path.is_file() or files.read_text(path) != text:
        files.write_atomically(path, text, mode=files.SECRET_MODE)


def _open_log(log: Path) -> None:
    if not log.parent.is_dir():
        files.make_directory(log.parent, mode=0o700)
    os.close(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, files.SECRET_MODE))
    log.chmod(files.SECRET_MODE)


def _wait_ready(cluster: Cluster, port: int, timeout: float) -> None:
    def ready() -> bool:
        if postmaster(cluster) is None:
            # pg_ctl is content with a server that replays its log, which may still fail.
            raise _not_started(cluster, port, "it ended")
        with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
            return _status_line(cluster) == "ready"
        return False

    if not wait_until(ready, timeout=timeout):
        raise unreachable_error(
            "database-not-ready",
            f"PostgreSQL on port {port} took no connections within {timeout:g} seconds",
            f"read its log: tail {cluster.log}",
        )


def _status_line(cluster: Cluster) -> str:
    lines = _pid_file(cluster)
    return lines[7].strip() if len(lines) > 7 else ""


def _last_complaint(log: Path) -> str:
    try:
        with log.open("rb") as stream:
            # The log of years may be large, and what has just been said is at its end.
            stream.seek(-min(_LAST_BYTES, log.stat().st_size), os.SEEK_END)
            lines = stream.read().decode("utf-8", "replace").splitlines()[-50:]
    except OSError:
        return ""
    complaints = [line for line in lines if "FATAL:" in line or "PANIC:" in line]
    return complaints[-1].partition("FATAL:")[2].strip() or complaints[-1] if complaints else ""


def stop(cluster: Cluster, programs: Programs, *, timeout: float, mode: str = "fast") -> bool:
    """Stop the server; open transactions are rolled back.

    :param timeout: seconds
    :param mode: ``fast``, or ``immediate`` for a throwaway cluster
    :return: whether it was running
    :raises AdminError: ``database-not-stopped``
    """
    if postmaster(cluster) is None:
        return False
    arguments: list[str | Path] = [
        programs.path("pg_ctl"),
        "stop",
        "--silent",
        "--wait",
        f"--mode={mode}",
        f"--timeout={max(1, round(timeout))}",
        f"--pgdata={cluster.data.name}",
    ]
    done = process.run(arguments, timeout=timeout + 10, environment=_ENVIRONMENT, directory=cluster.directory)
    if postmaster(cluster) is not None:
        raise failed_error(
            "database-not-stopped",
            f"PostgreSQL did not stop within {timeout:g} seconds: {done.last_words()}",
            f"read its log: tail {cluster.log}",
        )
    return True


def postmaster(cluster: Cluster) -> Postmaster | None:
    """The running server of a cluster; a stale pid file, even one whose pid is another's now, doesn't count."""
    lines = _pid_file(cluster)
    if len(lines) < 4 or not lines[0].strip().isdigit() or not lines[3].strip().isdigit():
        return None
    pid = int(lines[0])
    return Postmaster(pid, int(lines[3])) if _works_in(pid, cluster.data) else None


def _pid_file(cluster: Cluster) -> list[str]:
    try:
        return (cluster.data / "postmaster.pid").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _works_in(pid: int, directory: Path) -> bool:
    import psutil

    try:
        candidate = psutil.Process(pid)
        if candidate.status() == psutil.STATUS_ZOMBIE:
            return False
        return os.path.realpath(candidate.cwd()) == os.path.realpath(directory)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        # Another user's process: PostgreSQL runs as the owner of its data, and then its name must do. Without the
        # owner, every other PostgreSQL of the machine would be taken for this one.
        return candidate.uids().effective == directory.stat().st_uid and candidate.name().startswith("postgres")


def _forget_stale_pid(cluster: Cluster) -> None:
    """After a crash, the pid in the file may belong to another program of this user: PostgreSQL would not start.

    The file goes only when nothing at all works in the data directory any more.
    """
    import psutil

    lines = _pid_file(cluster)
    if not lines or not lines[0].strip().isdigit():
        return
    # The children of a killed server need a moment to notice; until then they hold its shared memory.
    deserted = wait_until(
        lambda: not any(_works_in(pid, cluster.data) for pid in psutil.pids()), timeout=_LEFTOVERS_TIMEOUT
    )
    if not deserted or not psutil.pid_exists(int(lines[0])):
        return
    (cluster.data / "postmaster.pid").unlink(missing_ok=True)


def not_there(cluster: Cluster) -> AdminError:
    """The failure of whoever needs a cluster that was never made."""
    return configuration_error(
        "cluster-missing", f"there is no PostgreSQL cluster in {cluster.directory}", "make it: omero db init"
    )
