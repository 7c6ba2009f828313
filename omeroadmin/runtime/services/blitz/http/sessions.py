"""Routes of status and sessions."""

from __future__ import annotations

import functools

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http.calls import Call, answer, nothing
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, TEXT, TIME, WHOLE, default, named
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.http.proving import prove
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.times import milliseconds
from omeroadmin.schema.forms import array, record


def session_document(blitz: Blitz, actor: Actor) -> dict[str, object]:
    """A session for whoever holds its key."""
    return {
        "key": actor.key,
        "user": actor.user,
        "user_id": actor.user_id,
        "group": actor.group.name,
        "group_id": actor.group.group_id,
        "is_admin": actor.is_admin,
        "time_to_idle_ms": actor.time_to_idle_ms,
        "time_to_live_ms": actor.time_to_live_ms,
        "started": milliseconds(actor.started),
        "server_version": blitz.identity.version,
        "database_uuid": blitz.identity.database_uuid,
    }


def status(call: Call) -> Response:
    """``GET /status``: that the server is up, without a session."""
    identity = call.blitz.identity
    return answer({"status": "up", "server": identity.server_id, "version": identity.version, "read_only": False})


async def login(call: Call) -> Response:
    """``POST /sessions``: a session for a user and a password, never over the plain port."""
    blitz = call.blitz
    user_id = await prove(call, call.body["user"], call.body["password"])
    open_session = functools.partial(blitz.sessions.open, user_id, agent=call.body["agent"], ip=call.ip)
    return answer(session_document(blitz, await run_in_threadpool(open_session)), 201)


def current(call: Call) -> Response:
    """``GET /sessions/current``: the session of the key."""
    return answer(session_document(call.blitz, call.actor))


def close(call: Call) -> Response:
    """``DELETE /sessions/current``: the key is dead."""
    call.blitz.sessions.close(call.actor)
    return nothing()


def keep_alive(call: Call) -> Response:
    """``POST /sessions/current/keepalive``: finding the session was the use that counts."""
    _ = call.actor
    return nothing()


def listing(call: Call) -> Response:
    """``GET /sessions``: who is logged in."""
    sessions = [
        {
            "user": session.user,
            "group": session.group,
            "agent": session.agent,
            "ip": session.ip,
            "started": milliseconds(session.started),
            "last_used": milliseconds(session.last_used),
        }
        for session in call.blitz.sessions.listing(call.actor)
    ]
    return answer({"sessions": sessions})


def open_for_server(call: Call) -> Response:
    """``POST /internal/sessions``: a session without a password, for another server of this instance."""
    user_id = call.blitz.logins.find_user(call.body["user"])
    actor = call.blitz.sessions.open(user_id, agent=call.body["agent"], ip="127.0.0.1")
    return answer(session_document(call.blitz, actor), 201)


_SESSION = named(
    "Session",
    record(
        {
            "key": TEXT,
            "user": TEXT,
            "user_id": ID,
            "group": TEXT,
            "group_id": ID,
            "is_admin": FLAG,
            "time_to_idle_ms": WHOLE,
            "time_to_live_ms": WHOLE,
            "started": TIME,
            "server_version": TEXT,
            "database_uuid": TEXT,
        }
    ),
)
_OPEN_SESSION = named(
    "OpenSession",
    record({"user": TEXT, "group": TEXT, "agent": TEXT, "ip": TEXT, "started": TIME, "last_used": TIME}),
)

OPERATIONS = (
    Operation(
        "getStatus",
        "GET",
        "/status",
        status,
        "That the server is up.",
        named("Status", record({"status": TEXT, "server": TEXT, "version": TEXT, "read_only": FLAG})),
        session=False,
    ),
    Operation(
        "login",
        "POST",
        "/sessions",
        login,
        "A session for a user and a password, never over the plain port.",
        _SESSION,
        body=record({"user": TEXT, "password": TEXT}, {"agent": default(TEXT, "")}),
        status=201,
        errors=("authentication-failed", "password-needs-tls", "login-throttled"),
        session=False,
        writes=False,
    ),
    Operation(
        "listSessions",
        "GET",
        "/sessions",
        listing,
        "Who is logged in: all for administrators, one's own sessions else; never keys.",
        record({"sessions": array(_OPEN_SESSION)}),
    ),
    Operation("getSession", "GET", "/sessions/current", current, "The session of the key.", _SESSION),
    Operation("closeSession", "DELETE", "/sessions/current", close, "End the session; its key is dead.", writes=False),
    Operation(
        "keepAlive",
        "POST",
        "/sessions/current/keepalive",
        keep_alive,
        "A use of the session that counts.",
        writes=False,
    ),
)

INTERNAL = (
    Operation(
        "openSession",
        "POST",
        "/sessions",
        open_for_server,
        "A session without a password, for another server of this instance.",
        _SESSION,
        body=record({"user": TEXT}, {"agent": default(TEXT, "")}),
        status=201,
        errors=("not-found",),
        session=False,
        writes=False,
    ),
)
