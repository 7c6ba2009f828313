"""Shows sessions; never their keys."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from omeroadmin.cli.output import Style, print_table, say
from omeroadmin.system.clock import utc_stamp

if TYPE_CHECKING:
    from omeroadmin.workflows.access import Login, SessionState


def say_login(done: Login) -> None:
    """The line that scripts know from OMERO, on stderr."""
    session = done.session
    idle = f"Idle timeout: {session.time_to_idle_ms / 60000:g} min" if session.time_to_idle_ms else "No idle timeout"
    say(f"{done.action} session for {session.user}@{done.address}. {idle}. Current group: {session.group}")


def print_stored(states: list[SessionState], style: Style) -> None:
    """The stored sessions."""
    rows = [(state.host, state.port, state.user, state.group, state.active, _stamp(state.started)) for state in states]
    print_table("sessions", ("server", "port", "user", "group", "active", "started"), rows, style)


def print_who(sessions: list[dict[str, Any]], style: Style) -> None:
    """The sessions that are open on a server."""
    rows = [
        (
            session.get("user"),
            session.get("group"),
            session.get("agent"),
            session.get("ip"),
            _milliseconds(session.get("started")),
            _milliseconds(session.get("last_used")),
        )
        for session in sessions
    ]
    print_table("who", ("user", "group", "agent", "ip", "started", "last_used"), rows, style)


def _milliseconds(value: Any) -> str:
    return _stamp(value / 1000) if isinstance(value, (int, float)) else ""


def _stamp(seconds: float) -> str:
    return utc_stamp(datetime.fromtimestamp(seconds, UTC))
