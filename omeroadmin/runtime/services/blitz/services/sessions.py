"""Sessions: rows of the table ``session``, whose uuid is the bearer's credential."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from omeroadmin.runtime.services.blitz.database import Database, Row, next_id, one
from omeroadmin.runtime.services.blitz.services import sessionrows
from omeroadmin.runtime.services.blitz.services.actor import Actor, Membership
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import not_found, session_dead
from omeroadmin.runtime.services.blitz.services.sessionactors import actor_of, person_of
from omeroadmin.runtime.services.blitz.services.sessionlimits import Limits
from omeroadmin.runtime.services.blitz.services.sudo import (
    Person,
    chosen,
    group_number,
    limited,
    may_become,
    not_a_member,
)
from omeroadmin.runtime.services.blitz.services.times import now
from omeroadmin.schema.settings import Settings

_LOG = logging.getLogger("ome.services.sessions.SessionManagerImpl")
FLUSH_SECONDS = 60.0
"""How old the last use of a session in the database may be; between flushes it is in memory."""
_LONGEST_TEXT = 255


@dataclass(frozen=True)
class Opening:
    """What a new session is to be.

    :param agent: the client's name for itself
    :param ip: address of the client
    :param group: to work in, name or id; empty: the user's default
    :param sudoer_id: the user who opens it in another's name
    :param idle_ms: milliseconds without a request after which it ends; ``None``: the server's own
    :param live_ms: milliseconds after which it ends, however busy it is; ``None``: the server's own
    """

    agent: str
    ip: str
    group: str = ""
    sudoer_id: int | None = None
    idle_ms: int | None = None
    live_ms: int | None = None


@dataclass(frozen=True)
class OpenSession:
    """A session for a listing; without its key.

    :param id: number of its row; no credential
    :param sudoer: name of the user who opened it in this user's name, or empty
    :param idle_ms: 0: never
    """

    id: int
    user: str
    group: str
    agent: str
    ip: str
    started: datetime
    last_used: datetime
    idle_ms: int
    sudoer: str


class Sessions:
    """Opens, finds and closes sessions.

    The time of the last use is kept in memory and written now and then into ``session.message``, so that a request
    costs no write and a session survives the restart of its Blitz.

    :param node_id: row of this Blitz in the table ``node``
    """

    def __init__(self, database: Database, settings: Settings, node_id: int) -> None:
        self._database = database
        self._node_id = node_id
        self._limits = Limits.of(settings)
        self._lock = threading.Lock()
        self._last_used: dict[int, datetime] = {}
        self._unwritten: set[int] = set()

    def open(self, user_id: int, wish: Opening) -> Actor:
        """A new session for a user whose identity is proven, or that of who acts in this user's name.

        :raises AdminError: ``permission-denied``, ``request-invalid``
        """
        user = opener = self._person(user_id)
        memberships = user.memberships
        if wish.sudoer_id is not None:
            opener = self._person(wish.sudoer_id)
            may_become(opener, user)
            if not opener.is_admin:
                memberships = limited(memberships, opener.led_groups)
        group = self._group(user.name, memberships, wish.group, any_group=user.is_admin) if wish.group else None
        key = str(uuid.uuid4())
        session_id = self._insert(
            {
                "key": key,
                "owner": user_id,
                "sudoer": wish.sudoer_id,
                "started": now(),
                "idle": self._limits.idle(wish.idle_ms, is_admin=opener.is_admin),
                "live": self._limits.live(wish.live_ms, is_admin=opener.is_admin),
                "agent": wish.agent[:_LONGEST_TEXT],
                "ip": wish.ip[:_LONGEST_TEXT],
                "message": None if group is None else f"group {group.group_id}",
            }
        )
        if wish.sudoer_id is not None:
            _LOG.info("User %d opened session %d in the name of user %d", wish.sudoer_id, session_id, user_id)
        return self.find(key)

    def find(self, key: str, group: str = "") -> Actor:
        """The user of a session, which counts as a use of it.

        :param group: to work in for one request, name or id; empty: the session's
        :raises AdminError: ``session-expired``, ``permission-denied``
        """
        rows = self._rows(sessionrows.ACTOR, {"key": key}) if key and "\0" not in key else []
        row = rows[0] if rows else None
        if row is None:
            raise session_dead()
        actor = actor_of(row, self._latest(row))
        if actor is None or self._is_over(actor):
            self._close(row["id"])
            raise session_dead()
        self._touch(actor.session_id)
        return self._in_group(actor, group) if group else actor

    def switch(self, actor: Actor, group: str) -> Actor:
        """Work in another group from now on.

        :param group: name or id
        :raises AdminError: ``permission-denied``
        """
        actor = self._in_group(actor, group)
        self._execute(sessionrows.SWITCH, {"id": actor.session_id, "group": actor.group.group_id})
        return actor

    def limit(self, actor: Actor, idle_ms: int) -> Actor:
        """Set after how much time without a request the session ends.

        :param idle_ms: milliseconds; 0: never
        :raises AdminError: ``request-invalid``
        """
        idle = self._limits.idle(idle_ms, is_admin=actor.is_admin)
        self._execute(sessionrows.LIMIT, {"id": actor.session_id, "idle": idle})
        return replace(actor, time_to_idle_ms=idle)

    def close(self, actor: Actor) -> None:
        """End a session; its key is dead."""
        self._close(actor.session_id)

    def close_other(self, actor: Actor, session_id: int) -> None:
        """End a session by its number: one's own, one that the actor opened in another's name, or any for admins.

        A group's owner in another's name ends this session alone.

        :raises AdminError: ``not-found``
        """
        if actor.is_limited and session_id != actor.session_id:
            raise not_found("open session", session_id)
        parameters = {"id": session_id, "user": actor.user_id, "everybody": _sees_all(actor)}
        if not self._execute(sessionrows.CLOSE_OF, parameters):
            raise not_found("open session", session_id)
        self._forget(session_id)
        _LOG.info("User %d closed session %d", actor.user_id, session_id)

    def listing(self, actor: Actor) -> list[OpenSession]:
        """Open sessions: all for admins, one's own else; this one alone for a group's owner in another's name."""
        rows = self._rows(sessionrows.LIST, {"everybody": actor.is_admin, "user_id": actor.user_id})
        return [
            OpenSession(
                row["id"],
                row["omename"],
                row["groupname"] or "",
                row["useragent"] or "",
                row["userip"] or "",
                row["started"],
                self._latest(row),
                row["timetoidle"],
                row["sudoer"] or "",
            )
            for row in rows
            if not actor.is_limited or row["id"] == actor.session_id
        ]

    def flush(self) -> None:
        """Write down when sessions were used."""
        with self._lock:
            used = [(self._last_used[number].isoformat(), number) for number in self._unwritten]
            self._unwritten.clear()
        if used:
            self._write_used(sorted(used))

    def close_expired(self) -> int:
        """Close sessions that nobody has used for too long.

        :return: how many
        """
        with self._lock:
            moment = now()
            kept = timedelta(milliseconds=self._limits.default_idle or 10**12)
            self._last_used = {number: used for number, used in self._last_used.items() if moment - used < kept}
            self._unwritten.intersection_update(self._last_used)
            # What was written down is in the rows; what has been used since isn't over.
            recent = timedelta(seconds=2 * FLUSH_SECONDS)
            in_use = [number for number, used in self._last_used.items() if moment - used < recent]
        # Another Blitz may know of a use that it hasn't written down yet.
        return self._execute(sessionrows.CLOSE_EXPIRED, {"in_use": in_use, "grace": int(2 * FLUSH_SECONDS * 1000)})

    def count(self) -> int:
        """Number of open sessions."""
        return int(self._rows(sessionrows.COUNT, {})[0]["number"])

    def _person(self, user_id: int) -> Person:
        return person_of(one(self._database.row(sessionrows.PERSON, {"id": user_id})))

    def _in_group(self, actor: Actor, text: str) -> Actor:
        return replace(actor, current=self._group(actor.user, actor.memberships, text, any_group=actor.is_admin))

    def _group(self, user: str, memberships: tuple[Membership, ...], text: str, *, any_group: bool) -> Membership:
        """The group that a text means.

        :param any_group: whether it may be one that the user isn't in
        """
        found = chosen(memberships, text)
        if found is None and any_group and "\0" not in text:
            row = self._database.row(sessionrows.GROUP, {"id": group_number(text), "name": text})
            found = None if row is None else Membership(row["id"], row["name"], row["permissions"], is_leader=False)
        if found is None:
            raise not_a_member(user, text)
        return found

    def _close(self, session_id: int) -> None:
        self._forget(session_id)
        self._execute(sessionrows.CLOSE, {"id": session_id})

    def _forget(self, session_id: int) -> None:
        with self._lock:
            self._last_used.pop(session_id, None)
            self._unwritten.discard(session_id)

    def _rows(self, statement: str, parameters: Mapping[str, object]) -> list[Row]:
        """What a statement finds in the table ``session``."""
        return self._database.rows(statement, dict(parameters))

    def _insert(self, values: Mapping[str, object]) -> int:
        """A row of the table ``session``.

        :return: its id
        """
        with self._database.transaction() as connection:
            session_id = next_id(connection, "session")
            connection.execute(sessionrows.INSERT, {"id": session_id, "node": self._node_id, **values})
        return session_id

    def _write_used(self, used: list[tuple[str, int]]) -> None:
        """Write times of use into rows of the table ``session``."""
        with self._database.transaction() as connection, connection.cursor() as cursor:
            cursor.executemany(sessionrows.USED, used)

    def _execute(self, statement: str, parameters: Mapping[str, object]) -> int:
        """Change rows of the table ``session`` by a statement of :mod:`sessionrows`."""
        with self._database.transaction() as connection:
            return connection.execute(statement, parameters).rowcount

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


def _sees_all(actor: Actor) -> bool:
    """Whether somebody may deal with everybody's sessions."""
    return actor.is_admin and Privilege.READ_SESSION in actor.privileges
