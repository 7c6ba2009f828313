"""The instance's own PostgreSQL below ``var/postgresql``: started before the servers, stopped after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omeroadmin.database import cluster as clusters
from omeroadmin.database.cluster import Cluster
from omeroadmin.database.connection import DatabaseAddress, connect
from omeroadmin.database.programs import find_programs
from omeroadmin.errors import configuration_error
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

START_TIMEOUT = 60.0
"""Seconds for a start, recovery after a crash included."""
STOP_TIMEOUT = 60.0
"""Seconds for a stop."""

_LOCAL_HOSTS = ("", "localhost", clusters.LOOPBACK)


@dataclass(frozen=True)
class EmbeddedStatus:
    """State of the instance's own PostgreSQL.

    :param exists: whether the cluster was made
    :param pid: process of the server; ``None``: not running
    :param port: port that the running server listens on
    """

    exists: bool
    pid: int | None
    port: int | None

    @property
    def running(self) -> bool:
        """Whether the server runs."""
        return self.pid is not None


def is_embedded(settings: Settings) -> bool:
    """Whether the instance runs a PostgreSQL of its own.

    :raises AdminError: ``setting-invalid``
    """
    return settings.flag("omero.db.embedded")


def cluster_of(instance: Instance) -> Cluster:
    """Where the instance's cluster is."""
    return Cluster(instance.embedded_database, instance.log_directory / "postgresql.log")


def status(instance: Instance) -> EmbeddedStatus:
    """Whether the cluster exists and runs."""
    cluster = cluster_of(instance)
    running = clusters.postmaster(cluster)
    if running is None:
        return EmbeddedStatus(cluster.exists, None, None)
    return EmbeddedStatus(cluster.exists, running.pid, running.port)


def initialise(instance: Instance, settings: Settings) -> None:
    """Make the cluster; one that exists is left alone.

    :raises AdminError: ``database-as-root``, ``postgresql-missing``, ``cluster-not-made``
    """
    cluster = cluster_of(instance)
    if not cluster.exists:
        clusters.initialise(cluster, find_programs(settings))


def start(instance: Instance, settings: Settings, timeout: float = START_TIMEOUT) -> EmbeddedStatus:
    """Start the server and wait until it takes connections; nothing happens where it runs.

    :param timeout: seconds
    :raises AdminError: ``cluster-missing``, ``postgresql-missing``, ``port-taken``, ``database-not-started``,
        ``database-as-root``
    """
    cluster = cluster_of(instance)
    if not cluster.exists:
        raise clusters.not_there(cluster)
    programs = find_programs(settings, cluster=cluster.data)
    running = clusters.start(cluster, programs, port=_port(settings), timeout=timeout)
    return EmbeddedStatus(True, running.pid, running.port)


def stop(instance: Instance, settings: Settings, timeout: float = STOP_TIMEOUT) -> bool:
    """Stop the server; nothing happens where it doesn't run.

    :param timeout: seconds
    :return: whether it was running
    :raises AdminError: ``database-not-stopped``, ``postgresql-missing``
    """
    cluster = cluster_of(instance)
    if clusters.postmaster(cluster) is None:
        return False
    return clusters.stop(cluster, find_programs(settings, cluster=cluster.data), timeout=timeout)


def superuser_address(instance: Instance, settings: Settings) -> DatabaseAddress:
    """Where the superuser of the instance's own PostgreSQL logs in.

    :raises AdminError: ``cluster-missing``, ``file-not-read``
    """
    cluster = cluster_of(instance)
    if not cluster.exists:
        raise clusters.not_there(cluster)
    return cluster.superuser(_port(settings))


def _port(settings: Settings) -> int:
    address = DatabaseAddress.from_settings(settings)
    if address.host not in _LOCAL_HOSTS:
        raise configuration_error(
            "setting-invalid",
            f"omero.db.embedded is true, but omero.db.host is {address.host}: the instance's own PostgreSQL listens"
            f" on {clusters.LOOPBACK} only",
            f"omero config set omero.db.host {clusters.LOOPBACK}",
        )
    return address.port


def create_database(superuser: DatabaseAddress, wanted: DatabaseAddress) -> None:
    """Make role and database, or give the role its password again.

    :param superuser: who makes them
    :param wanted: what ``omero.db.*`` names
    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    with connect(superuser, autocommit=True) as connection:
        _create_role(connection, wanted)
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (wanted.name,)).fetchone()
        if not exists:
            _create_database(connection, wanted)


def recreate_database(superuser: DatabaseAddress, wanted: DatabaseAddress) -> None:
    """Drop the database with everything in it, and make it anew, empty. There is no way back.

    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    from psycopg import sql

    with connect(superuser, autocommit=True) as connection:
        # With a new password, programs that are cut off now don't come back.
        _create_role(connection, wanted)
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (wanted.name,),
        )
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(wanted.name)))
        _create_database(connection, wanted)


def _create_role(connection: Connection[Any], wanted: DatabaseAddress) -> None:
    from psycopg import sql

    # The server gets a verifier: the password itself could end up in its log.
    verifier = connection.pgconn.encrypt_password(wanted.password.encode(), wanted.user.encode(), b"scram-sha-256")
    exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (wanted.user,)).fetchone()
    verb = sql.SQL("ALTER ROLE" if exists else "CREATE ROLE")
    connection.execute(
        sql.SQL("{} {} LOGIN PASSWORD {}").format(verb, sql.Identifier(wanted.user), sql.Literal(verifier.decode()))
    )


def _create_database(connection: Connection[Any], wanted: DatabaseAddress) -> None:
    from psycopg import sql

    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(
            sql.Identifier(wanted.name), sql.Identifier(wanted.user)
        )
    )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(wanted.name)))
