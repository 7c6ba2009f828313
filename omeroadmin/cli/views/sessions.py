"""Shows sessions; never their keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from omeroadmin.cli.output import Style, print_table, say
from omeroadmin.system.clock import utc_stamp

if TYPE_CHECKING:
    from omeroadmin.access.session import Session
    from omeroadmin.workflows.access import Login
    from omeroadmin.workflows.sessions import SessionState

_SHORTEST_MINUTES = 5
"""Shorter times are said in seconds."""


def say_login(done: Login) -> None:
    """The line that scripts know from OMERO, on stderr."""
    session = done.session
    by = f" (sudo: {session.sudoer})" if session.sudoer else ""
    life = f"{_timeout('Idle timeout', session.time_to_idle_ms)}{_timeout('Expires in', session.time_to_live_ms)}"
    say(f"{done.action} session for {session.user}@{done.address}{by}.{life} Current group: {session.group}")


def say_opened(session: Session) -> None:
    """The line that scripts know from OMERO, on stderr."""
    idle, live = session.time_to_idle_ms // 1000, session.time_to_live_ms // 1000
    limits = f"timeToIdle: {idle} sec, timeToLive: {live} sec"
    say(f"Session created for user {session.user} in group {session.group} ({limits})")


def print_stored(states: list[SessionState], style: Style, *, with_keys: bool) -> None:
    """The stored sessions.

    :param with_keys: whether to show the keys
    """
    columns = ["server", "port", "user", "group", *(["session"] if with_keys else []), "active", "started"]
    rows = [
        [state.host, state.port, state.user, state.group]
        + ([state.key] if with_keys else [])
        + [state.active, _stamp(state.started)]
        for state in states
    ]
    print_table("sessions", columns, rows, style)


def print_who(sessions: list[dict[str, Any]], style: Style) -> None:
    """The sessions that are open on a server."""
    rows = [
        (
            session.get("id"),
            session.get("user"),
            session.get("group"),
            session.get("agent"),
            session.get("ip"),
            _milliseconds(session.get("started")),
            _milliseconds(session.get("last_used")),
            _seconds(session.get("time_to_idle_ms")),
            session.get("sudoer"),
        )
        for session in sessions
    ]
    columns = ("id", "user", "group", "agent", "ip", "started", "last_used", "timeout", "sudo")
    print_table("who", columns, rows, style)


def _timeout(what: str, milliseconds: int) -> str:
    """A limit in OMERO's words; nothing where there is none."""
    if not milliseconds:
        return ""
    minutes = milliseconds / 60000
    amount = f"{minutes:.0f} min." if minutes >= _SHORTEST_MINUTES else f"{milliseconds / 1000:.0f} s."
    return f" {what}: {amount}"


def _seconds(value: Any) -> float | None:
    return value / 1000 if isinstance(value, (int, float)) else None


def _milliseconds(value: Any) -> str:
    return _stamp(value / 1000) if isinstance(value, (int, float)) else ""


def _stamp(seconds: float) -> str:
    return utc_stamp(datetime.fromtimestamp(seconds, UTC))
