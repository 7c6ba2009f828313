"""Times as the database has them (UTC, without a zone) and as the API has them (milliseconds since 1970)."""

from __future__ import annotations

from datetime import UTC, datetime


def milliseconds(moment: datetime) -> int:
    """A time of the database for the API."""
    return round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def now() -> datetime:
    """Now, as the database has it."""
    return datetime.now(UTC).replace(tzinfo=None)
