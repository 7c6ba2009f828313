"""What can be done with sessions: those stored here, and those that are open on a server."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omeroadmin.access.client import AGENT, Client
from omeroadmin.access.session import Session, checked_key, read_session
from omeroadmin.access.store import StoredSession
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.workflows.access import (
    Place,
    Wish,
    client_for,
    fits,
    not_logged_in,
    resolve_address,
    stored_for,
    usable_session,
)

_LIST_TIMEOUT = 5.0


@dataclass(frozen=True)
class SessionState:
    """A stored session, and what its server says of it.

    :param group: the current one, as far as it is known
    :param active: ``Logged in`` for the one that commands use, ``True`` for others, ``Expired``, or why nobody knows
    :param started: seconds since 1970 UTC
    :param key: the credential
    """

    host: str
    port: int
    user: str
    group: str
    active: str
    started: float
    key: str = field(repr=False)


@dataclass(frozen=True)
class Switch:
    """What became of the group of a session."""

    old_id: int
    old: str
    new_id: int
    new: str


@dataclass(frozen=True)
class Clearing:
    """What became of the stored sessions.

    :param cleared: no longer stored, and closed on their servers as far as these know them
    :param unheard: of those, how many servers couldn't be told
    """

    cleared: int
    unheard: int


def logout(place: Place, wish: Wish) -> StoredSession | None:
    """Close the session of the key, or the stored one used last that fits, on the server and here.

    :return: the session; ``None`` where none is stored
    :raises AdminError: what :meth:`Client.get` raises, but for an expired session; the session stays stored then
    """
    if wish.key:
        stored: StoredSession | None = _stored_or_not(place, wish)
    else:
        stored = stored_for(place, wish)
    if stored is not None:
        close_stored(place, wish, stored)
    return stored


def close_stored(place: Place, wish: Wish, stored: StoredSession) -> None:
    """Close a session on its server and forget it here.

    :raises AdminError: what :meth:`Client.get` raises, but for an expired session; the session stays stored then
    """
    with client_for(place, wish, stored.address, stored.key) as client:
        try:
            client.close_session()
        except AdminError as error:
            if error.code != "session-expired":
                raise
    place.store.remove(stored)


def stored_sessions(place: Place, wish: Wish, *, purge: bool = True) -> list[SessionState]:
    """All stored sessions and their states.

    :param wish: whom to trust
    :param purge: whether those that their server doesn't know any more are removed
    :raises AdminError: ``session-not-stored`` if the store can't be changed
    """
    current = place.store.current(lambda _: True)
    states = []
    for stored in place.store.sessions():
        group = stored.group
        try:
            session = usable_session(place, stored, wish, timeout=_LIST_TIMEOUT, purge=purge)
            active = "Expired" if session is None else "Logged in" if stored == current else "True"
            group = group if session is None else session.group
        except AdminError as error:
            active = error.code.replace("-", " ").capitalize()
        address = stored.address
        states.append(SessionState(address.host, address.port, stored.user, group, active, stored.started, stored.key))
    return states


def current_stored(place: Place, wish: Wish) -> StoredSession:
    """The stored session that commands use; nobody is asked whether it is alive.

    :raises AdminError: ``not-logged-in``
    """
    stored = stored_for(place, wish)
    if stored is None:
        raise not_logged_in()
    return stored


def clear(place: Place, wish: Wish, *, everything: bool) -> Clearing:
    """Forget stored sessions.

    :param everything: close and forget all; else forget those alone that their servers don't know any more
    :raises AdminError: ``session-not-stored``
    """
    cleared = unheard = 0
    for stored in place.store.sessions():
        try:
            if everything:
                close_stored(place, wish, stored)
                cleared += 1
            elif usable_session(place, stored, wish, timeout=_LIST_TIMEOUT) is None:
                cleared += 1
        except AdminError as error:
            if error.code == "session-not-stored":
                raise
            if everything:
                place.store.remove(stored)
                cleared += 1
                unheard += 1
    return Clearing(cleared, unheard)


def sessions_on_server(client: Client) -> list[dict[str, Any]]:
    """Who is logged in: all sessions for admins, one's own for others; the answer has no keys.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return client.items(client.get("/sessions"), "sessions")


def switch_group(place: Place, client: Client, session: Session, group: str) -> Switch:
    """Let a session work in another group from now on; where it is stored, the store learns it.

    :param group: name or id
    :raises AdminError: ``permission-denied``, ``session-not-stored`` and what :meth:`Client.get` raises
    """
    changed = client.change_session(group=group)
    for stored in place.store.sessions():
        if stored.key == session.key:
            place.store.update(dataclasses.replace(stored, group=changed.group))
    return Switch(session.group_id, session.group, changed.group_id, changed.group)


def keep_alive(client: Client, wait: Callable[[], bool], failed: Callable[[AdminError], object]) -> None:
    """Keep a session from idling out.

    :param wait: waits until the next sign of life is due; whether to go on
    :param failed: told when the server couldn't be reached; it is tried again
    :raises AdminError: ``session-expired`` when there is nothing to keep alive any more
    """
    while True:
        try:
            client.post("/sessions/current/keepalive")
        except AdminError as error:
            if error.exit_status != ExitStatus.UNREACHABLE:
                raise
            failed(error)
        if not wait():
            return


def open_for(client: Client, user: str | int, *, group: str = "", live_seconds: int | None = None) -> Session:
    """Open a session in another user's name; it isn't stored.

    :param user: name or id
    :param group: to work in, name or id; empty: the user's default
    :param live_seconds: after which it ends, however busy it is; ``None``: as late as the server allows
    :raises AdminError: ``permission-denied``, ``not-found`` and what :meth:`Client.get` raises
    """
    wanted: dict[str, str | int] = {"user_id" if isinstance(user, int) else "user": user, "agent": AGENT}
    if group:
        wanted["group"] = group
    if live_seconds is not None:
        wanted["time_to_live_ms"] = live_seconds * 1000
    return read_session(client.post("/sessions/others", wanted), client.address)


def close_with_key(place: Place, wish: Wish, key: str) -> None:
    """Close the session of a key, whosever it is: a key is all that is needed.

    :param key: of a session of the server that is wished
    :raises AdminError: ``session-key-invalid``, ``session-expired`` where it isn't open, and what :meth:`Client.get`
        raises
    """
    stored = _stored_or_not(place, dataclasses.replace(wish, key=key))
    with client_for(place, wish, stored.address, stored.key) as client:
        client.close_session()
    place.store.remove(stored)


def close_number(client: Client, number: int) -> None:
    """Close a session by its number in the server's list.

    :raises AdminError: ``not-found`` where it isn't open or is another's, and what :meth:`Client.get` raises
    """
    client.delete(f"/sessions/{number}")


def session_file(place: Place, stored: StoredSession) -> Path:
    """The file of a stored session."""
    return place.store.file(stored)


def _stored_or_not(place: Place, wish: Wish) -> StoredSession:
    """The session of the wish's key: the stored one, else one of the server that is wished."""
    key = checked_key(wish.key)
    stored = place.store.find(lambda session: session.key == key and fits(session, wish))
    if stored is not None:
        return stored
    return StoredSession(resolve_address(wish.target, place.instance), wish.target.user or "", "", key)
