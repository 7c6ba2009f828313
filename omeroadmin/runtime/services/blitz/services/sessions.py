"""Sessions: rows of the table ``session``, whose uuid is the bearer's credential."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from omeroadmin.runtime.services.blitz.database import Database, Row, next_id
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, Actor, Membership
from omeroadmin.runtime.services.blitz.services.privileges import privileges_of
from omeroadmin.runtime.services.blitz.services.problems import session_dead
from omeroadmin.runtime.services.blitz.services.times import now
from omeroadmin.schema.settings import Settings

FLUSH_SECONDS = 60.0
"""How old the last use of a session in the database may be; between flushes it is in memory."""
_LONGEST_TEXT = 255

_ACTOR = """
SELECT s.id, s.uuid, s.started, s.timetoidle, s.timetolive, e.id AS user_id, e.omename,
       coalesce(e.institution, '') AS institution,
       substring(s.message FROM '^last used ([-0-9]+T[0-9:.]+)$')::timestamp AS last_used,
       (SELECT jsonb_agg(jsonb_build_array(g.id, g.name, g.permissions, m.owner) ORDER BY m.child_index, m.id)
          FROM groupexperimentermap m JOIN experimentergroup g ON g.id = m.parent WHERE m.child = e.id) AS groups,
       (SELECT array_agg(g.id) FROM experimentergroup g WHERE g.permissions & 4 <> 0 AND g.id > 2) AS world_groups,
       (SELECT array_agg(c.name) FROM experimenter_config c
         WHERE c.experimenter_id = e.id AND c.name LIKE 'AdminPrivilege:%%' AND lower(c.value) <> 'true')
       AS restrictions
  FROM session s JOIN experimenter e ON e.id = s.owner
 WHERE s.closed IS NULL AND s.uuid = %(key)s
"""
_LIST = """
SELECT s.id, e.omename, s.useragent, s.userip, s.started,
       substring(s.message FROM '^last used ([-0-9]+T[0-9:.]+)$')::timestamp AS last_used,
       (SELECT g.name FROM groupexperimentermap m JOIN experimentergroup g ON g.id = m.parent
         WHERE m.child = e.id ORDER BY (g.id = 1), m.child_index, m.id LIMIT 1) AS groupname
  FROM session s JOIN experimenter e ON e.id = s.owner
 WHERE s.closed IS NULL AND s.id > 0 AND (%(is_admin)s OR s.owner = %(user_id)s)
 ORDER BY s.id
"""
_CLOSE_EXPIRED = """
UPDATE session SET closed = timezone('UTC', now())
 WHERE closed IS NULL AND id > 0 AND NOT id = ANY(%(in_use)s) AND (
       (timetolive > 0 AND started + timetolive * interval '1 millisecond' < timezone('UTC', now()))
    OR (timetoidle > 0 AND (timetoidle + %(grace)s) * interval '1 millisecond' < timezone('UTC', now())
        - greatest(started, substring(message FROM '^last used ([-0-9]+T[0-9:.]+)$')::timestamp)))
"""


@dataclass(frozen=True)
class OpenSession:
    """A session for a listing; without its key."""

    user: str
    group: str
    agent: str
    ip: str
    started: datetime
    last_used: datetime


class Sessions:
    """Opens, finds and closes sessions.

    The time of the last use is kept in memory and written now and then into ``session.message``, so that a request
    costs no write and a session survives the restart of its Blitz.

    :param node_id: row of this Blitz in the table ``node``
    """

    def __init__(self, database: Database, settings: Settings, node_id: int) -> None:
        self._database = database
        self._node_id = node_id
        self._time_to_idle = settings.number("omero.sessions.timeout")
        self._time_to_live = settings.number("omero.sessions.maximum")
        self._lock = threading.Lock()
        self._last_used: dict[int, datetime] = {}
        self._unwritten: set[int] = set()

    def open(self, user_id: int, *, agent: str, ip: str) -> Actor:
        """A new session for a user whose identity is proven.

        :param agent: the client's name for itself
        """
        key = str(uuid.uuid4())
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO session (id, permissions, version, uuid, node, owner, started, timetoidle, timetolive,"
                " useragent, userip, defaulteventtype) VALUES (%(id)s, -120, 0, %(key)s, %(node)s, %(owner)s,"
                " %(started)s, %(idle)s, %(live)s, %(agent)s, %(ip)s, 'User')",
                {
                    "id": next_id(connection, "session"),
                    "key": key,
                    "node": self._node_id,
                    "owner": user_id,
                    "started": now(),
                    "idle": self._time_to_idle,
                    "live": self._time_to_live,
                    "agent": agent[:_LONGEST_TEXT],
                    "ip": ip[:_LONGEST_TEXT],
                },
            )
        return self.find(key)

    def find(self, key: str) -> Actor:
        """The user of a session, which counts as a use of it.

        :raises AdminError: ``session-expired``
        """
        row = self._database.row(_ACTOR, {"key": key}) if key and "\0" not in key else None
        if row is None or row["groups"] is None:
            raise session_dead()
        actor = self._actor(row)
        if self._is_over(actor) or not actor.is_active:
            self.close(actor)
            raise session_dead()
        self._touch(actor.session_id)
        return actor

    def close(self, actor: Actor) -> None:
        """End a session; its key is dead."""
        with self._lock:
            self._last_used.pop(actor.session_id, None)
            self._unwritten.discard(actor.session_id)
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE session SET closed = timezone('UTC', now()) WHERE id = %s AND closed IS NULL",
                (actor.session_id,),
            )

    def listing(self, actor: Actor) -> list[OpenSession]:
        """Open sessions: all for admins, one's own else."""
        rows = self._database.rows(_LIST, {"is_admin": actor.is_admin, "user_id": actor.user_id})
        return [
            OpenSession(
                row["omename"],
                row["groupname"] or "",
                row["useragent"] or "",
                row["userip"] or "",
                row["started"],
                self._latest(row),
            )
            for row in rows
        ]

    def flush(self) -> None:
        """Write down when sessions were used."""
        with self._lock:
            used = [(f"last used {self._last_used[number].isoformat()}", number) for number in self._unwritten]
            self._unwritten.clear()
        if used:
            with self._database.transaction() as connection, connection.cursor() as cursor:
                cursor.executemany("UPDATE session SET message = %s WHERE id = %s AND closed IS NULL", sorted(used))

    def close_expired(self) -> int:
        """Close sessions that nobody has used for too long.

        :return: how many
        """
        with self._lock:
            limit = now() - timedelta(milliseconds=self._time_to_idle or 10**12)
            in_use = [number for number, moment in self._last_used.items() if moment > limit]
            self._last_used = {number: self._last_used[number] for number in in_use}
            self._unwritten.intersection_update(in_use)
        with self._database.transaction() as connection:
            # Another Blitz may know of a use that it hasn't written down yet.
            return connection.execute(
                _CLOSE_EXPIRED, {"in_use": in_use, "grace": int(2 * FLUSH_SECONDS * 1000)}
            ).rowcount

    def count(self) -> int:
        """Number of open sessions."""
        row = self._database.row("SELECT count(*) AS number FROM session WHERE closed IS NULL AND id > 0")
        return int(row["number"]) if row else 0

    def _actor(self, row: Row) -> Actor:
        memberships = tuple(Membership(*group) for group in row["groups"])
        is_admin = any(membership.group_id == SYSTEM_GROUP for membership in memberships)
        return Actor(
            session_id=row["id"],
            key=row["uuid"],
            user_id=row["user_id"],
            user=row["omename"],
            institution=row["institution"],
            started=row["started"],
            last_used=self._latest(row),
            time_to_idle_ms=row["timetoidle"],
            time_to_live_ms=row["timetolive"],
            memberships=memberships,
            world_groups=tuple(row["world_groups"] or ()),
            privileges=privileges_of(row["restrictions"] or ()) if is_admin else frozenset(),
        )

    def _latest(self, row: Row) -> datetime:
        with self._lock:
            here = self._last_used.get(row["id"], row["started"])
        latest: datetime = max(here, row["started"], row["last_used"] or row["started"])
        return latest

    def _touch(self, session_id: int) -> None:
        with self._lock:
            self._last_used[session_id] = now()
            self._unwritten.add(session_id)

    def _is_over(self, actor: Actor) -> bool:
        moment = now()
        if actor.time_to_live_ms and actor.started + timedelta(milliseconds=actor.time_to_live_ms) < moment:
            return True
        if not actor.time_to_idle_ms:
            return False
        with self._lock:
            known_here = actor.session_id in self._last_used
        # Another Blitz may know of a use that it hasn't written down yet.
        grace = 0.0 if known_here else FLUSH_SECONDS
        return actor.last_used + timedelta(milliseconds=actor.time_to_idle_ms, seconds=grace) < moment
