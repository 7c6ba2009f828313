"""Every change leaves an event and rows in the eventlog, and wakes whoever listens, all in the same transaction."""

from __future__ import annotations

from collections.abc import Sequence

from omeroadmin.runtime.services.blitz.database import Connection, Row, next_id
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES, INTERNAL

CHANNEL = "omero_events"
"""PostgreSQL channel that OMERO.IceStorm listens to."""

_LOG = """
WITH last AS MATERIALIZED (SELECT ome_nextval('seq_eventlog', %(count)s) AS id),
logged AS (
    INSERT INTO eventlog (id, permissions, action, entitytype, entityid, event)
    SELECT last.id - %(count)s + n.position, -52, %(action)s, %(class_name)s, n.entity_id, %(event)s
      FROM last, unnest(%(ids)s::bigint[]) WITH ORDINALITY AS n (entity_id, position)
    RETURNING id, entityid)
SELECT count(pg_notify(%(channel)s, json_build_object(
           'entity', %(entity)s::text, 'id', entityid, 'action', %(action)s::text, 'eventlog', id)::text))
  FROM logged WHERE %(notify)s
"""

PRIVATE = -120
"""Permissions of rows of a private group."""


class Changes:
    """The event of one transaction.

    :param actor: who makes the change; ``None``: the server itself
    :param kind: value of eventtype, e.g. ``User`` or ``Import``
    """

    def __init__(self, connection: Connection, actor: Actor | None, kind: str = "User") -> None:
        self._connection = connection
        self._group_permissions: dict[int, int] = {}
        self.owner_id = actor.user_id if actor else 0
        self.group_id = actor.group.group_id if actor else SYSTEM_GROUP
        self.event_id = next_id(connection, "event")
        connection.execute(
            "INSERT INTO event (id, permissions, time, status, type, experimenter, experimentergroup, session)"
            " SELECT %(id)s, -52, now(), 'OK', id, %(user)s, %(group)s, %(session)s FROM eventtype"
            " WHERE value = %(kind)s",
            {
                "id": self.event_id,
                "user": self.owner_id,
                "group": self.group_id,
                "session": actor.session_id if actor else 0,
                "kind": kind,
            },
        )

    def details(self, *, owner_id: int | None = None, group_id: int | None = None) -> Row:
        """Values of the columns that every row has which belongs to somebody.

        :param owner_id: where it isn't who makes the change
        """
        return {
            "permissions": self._permissions(self.group_id if group_id is None else group_id),
            "owner_id": self.owner_id if owner_id is None else owner_id,
            "group_id": self.group_id if group_id is None else group_id,
            "event_id": self.event_id,
        }

    def _permissions(self, group_id: int) -> int:
        """Permissions that rows of a group are stored with, as OMERO does; what counts are those of the group."""
        if group_id not in self._group_permissions:
            row = self._connection.execute(
                "SELECT permissions FROM experimentergroup WHERE id = %s", (group_id,)
            ).fetchone()
            self._group_permissions[group_id] = PRIVATE if row is None else row["permissions"]
        return self._group_permissions[group_id]

    def log(self, action: str, entity: str, ids: Sequence[int], *, notify: bool = True) -> None:
        """Record what happened to objects.

        :param action: OMERO's: ``INSERT``, ``UPDATE``, ``DELETE``, ``CHGRP``, ``CHOWN``, ``REINDEX`` or ``PIXELDATA``
        :param entity: OMERO's type, e.g. ``Image``
        :param notify: whether to wake those who listen for each object
        """
        if not ids:
            return
        class_name = (ENTITIES.get(entity) or INTERNAL[entity]).class_name
        self._connection.execute(
            _LOG,
            {
                "count": len(ids),
                "ids": list(ids),
                "action": action,
                "class_name": class_name,
                "entity": entity,
                "event": self.event_id,
                "channel": CHANNEL,
                "notify": notify,
            },
        )
