"""Whose objects are, asked for many at once: what permissions depend on."""

from __future__ import annotations

from collections.abc import Sequence

from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.blitz.services.permissions import Holding


def holdings(connection: Connection, entity: Entity, ids: Sequence[int], *, lock: str = "") -> dict[int, Holding]:
    """Owner and group of objects that exist, by their ids.

    :param entity: a type whose objects have owners
    :param lock: ``SHARE`` or ``UPDATE``: keeps others from changing the objects, and what is permitted in their
        groups, until the transaction ends
    """
    if lock:
        _hold_groups(connection, entity, ids)
        hold(connection, entity, ids, lock)
    # Names of tables and conditions come from the declared model only.
    statement = (
        "SELECT o.id, o.owner_id, o.group_id, g.permissions"  # noqa: S608
        f" FROM {entity.table} o JOIN experimentergroup g ON g.id = o.group_id"
        f" WHERE o.id = ANY(%(ids)s) AND {entity.condition}"
    )
    rows = connection.execute(statement.encode(), {"ids": list(ids)}).fetchall()
    return {row["id"]: Holding(row["owner_id"], row["group_id"], row["permissions"]) for row in rows}


def hold(connection: Connection, entity: Entity, ids: Sequence[int], lock: str) -> None:
    """Keep others from changing objects until the transaction ends.

    A statement of its own: in a join, a row that changes while it is waited for would seem to be gone.

    :param lock: ``SHARE`` or ``UPDATE``
    """
    statement = f"SELECT id FROM {entity.table} WHERE id = ANY(%(ids)s) ORDER BY id FOR {lock}"  # noqa: S608
    connection.execute(statement.encode(), {"ids": list(ids)})


def _hold_groups(connection: Connection, entity: Entity, ids: Sequence[int]) -> None:
    """Keep what is permitted in the objects' groups as it is; before the objects, as who changes it does."""
    statement = (
        "SELECT id FROM experimentergroup"  # noqa: S608
        f" WHERE id IN (SELECT group_id FROM {entity.table} WHERE id = ANY(%(ids)s)) ORDER BY id FOR SHARE"
    )
    connection.execute(statement.encode(), {"ids": list(ids)})
