"""Whose objects are, asked for many at once: what permissions depend on."""

from __future__ import annotations

from collections.abc import Sequence

from omeroadmin.runtime.services.blitz.database import Connection
from omeroadmin.runtime.services.blitz.services.model.entity import Entity
from omeroadmin.runtime.services.blitz.services.permissions import Holding


def holdings(connection: Connection, entity: Entity, ids: Sequence[int], *, lock: str = "") -> dict[int, Holding]:
    """Owner and group of objects that exist, by their ids.

    :param entity: a type whose objects have owners
    :param lock: ``SHARE`` or ``UPDATE``: keeps others from changing the objects until the transaction ends
    """
    # Names of tables and conditions come from the declared model only.
    statement = (
        "SELECT o.id, o.owner_id, o.group_id, g.permissions"  # noqa: S608
        f" FROM {entity.table} o JOIN experimentergroup g ON g.id = o.group_id"
        f" WHERE o.id = ANY(%(ids)s) AND {entity.condition}"
        f"{f' FOR {lock} OF o' if lock else ''}"
    )
    rows = connection.execute(statement.encode(), {"ids": list(ids)}).fetchall()
    return {row["id"]: Holding(row["owner_id"], row["group_id"], row["permissions"]) for row in rows}
