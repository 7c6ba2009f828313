"""Every change leaves an event and rows in the eventlog, and wakes whoever listens, all in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence

from omeroadmin.runtime.services.blitz.database import Connection, Row, next_id, next_ids
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES

CHANNEL = "omero_events"
"""PostgreSQL channel that OMERO.IceStorm listens to."""

PRIVATE = -120
"""Permissions that rows are stored with; what counts are those of their group."""


class Changes:
    """The event of one transaction.

    :param actor: who makes the change; ``None``: the server itself
    :param kind: value of eventtype, e.g. ``User`` or ``Import``
    """

    def __init__(self, connection: Connection, actor: Actor | None, kind: str = "User") -> None:
        self._connection = connection
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
            "permissions": PRIVATE,
            "owner_id": self.owner_id if owner_id is None else owner_id,
            "group_id": self.group_id if group_id is None else group_id,
            "event_id": self.event_id,
        }

    def log(self, action: str, entity: str, ids: Sequence[int]) -> None:
        """Record what happened to objects.

        :param action: ``INSERT``, ``UPDATE``, ``DELETE`` or ``PIXELDATA``
        :param entity: OMERO's type, e.g. ``Image``
        """
        if not ids:
            return
        class_name = ENTITIES[entity].class_name
        rows = list(zip(next_ids(self._connection, "eventlog", len(ids)), ids, strict=True))
        with self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO eventlog (id, permissions, action, entitytype, entityid, event)"
                " VALUES (%s, -52, %s, %s, %s, %s)",
                [(log_id, action, class_name, object_id, self.event_id) for log_id, object_id in rows],
            )
            cursor.executemany(
                "SELECT pg_notify(%s, %s)",
                [
                    (
                        CHANNEL,
                        json.dumps({"entity": entity, "id": object_id, "action": action, "eventlog": log_id}),
                    )
                    for log_id, object_id in rows
                ],
            )
