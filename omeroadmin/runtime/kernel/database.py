"""How the servers reach the database."""

from __future__ import annotations

from psycopg import OperationalError
from psycopg.conninfo import make_conninfo

from omeroadmin.database.connection import CONNECT_TIMEOUT, DatabaseAddress, explain
from omeroadmin.errors import AdminError
from omeroadmin.schema.settings import Settings


def connection_string(settings: Settings, *, server_id: str) -> str:
    """Where the database is, for psycopg; it holds the password and must not be logged.

    :param server_id: shown by ``pg_stat_activity``
    :raises AdminError: ``setting-invalid``
    """
    address = DatabaseAddress.from_settings(settings)
    return make_conninfo(
        host=address.host,
        port=address.port,
        dbname=address.name,
        user=address.user,
        password=address.password,
        application_name=server_id,
        connect_timeout=round(CONNECT_TIMEOUT),
        client_encoding="UTF8",
        options="-c timezone=UTC" + (" -c default_transaction_read_only=on" if _is_read_only(settings) else ""),
    )


def _is_read_only(settings: Settings) -> bool:
    """Whether the server is told to write nothing; PostgreSQL then makes sure of it."""
    return settings.flag("omero.cluster.read_only") or settings.flag("omero.cluster.read_only.db")


def why_not(settings: Settings, error: OperationalError) -> AdminError:
    """What a failed connection means, in one line without secrets."""
    return explain(DatabaseAddress.from_settings(settings), error)
