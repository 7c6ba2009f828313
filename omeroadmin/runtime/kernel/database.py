"""How the servers reach the database."""

from __future__ import annotations

from psycopg.conninfo import make_conninfo

from omeroadmin.schema.settings import Settings

_CONNECT_SECONDS = 5


def connection_string(settings: Settings, *, server_id: str) -> str:
    """Where the database is, for psycopg; it holds the password and must not be logged.

    :param server_id: shown by ``pg_stat_activity``
    """
    return make_conninfo(
        host=settings.text("omero.db.host"),
        port=settings.number("omero.db.port"),
        dbname=settings.text("omero.db.name"),
        user=settings.text("omero.db.user"),
        password=settings.text("omero.db.pass"),
        application_name=server_id,
        connect_timeout=_CONNECT_SECONDS,
        client_encoding="UTF8",
    )


def place_of(settings: Settings) -> str:
    """Where the database is, for messages."""
    return f"{settings.text('omero.db.name')} on {settings.text('omero.db.host')}:{settings.text('omero.db.port')}"
