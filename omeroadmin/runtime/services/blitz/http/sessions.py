"""Routes of status and sessions."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http.calls import Call, answer, nothing
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, TEXT, TIME, WHOLE, default, named, words
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.http.proving import prove
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.problems import denied, invalid
from omeroadmin.runtime.services.blitz.services.sessions import Opening
from omeroadmin.runtime.services.blitz.services.times import milliseconds
from omeroadmin.schema.forms import Form, array, record

_LONGEST_NAME = 255


def session_document(blitz: Blitz, actor: Actor) -> dict[str, object]:
    """A session for whoever holds its key."""
    return {
        "key": actor.key,
        "user": actor.user,
        "user_id": actor.user_id,
        "group": actor.group.name,
        "group_id": actor.group.group_id,
        "is_admin": actor.is_admin,
        "sudoer": actor.sudoer,
        "time_to_idle_ms": actor.time_to_idle_ms,
        "time_to_live_ms": actor.time_to_live_ms,
        "started": milliseconds(actor.started),
        "server_version": blitz.identity.version,
        "database_uuid": blitz.identity.database_uuid,
    }


def status(call: Call) -> Response:
    """``GET /status``: that the server is up, without a session."""
    identity = call.blitz.identity
    read_only = call.blitz.read_only.any
    return answer({"status": "up", "server": identity.server_id, "version": identity.version, "read_only": read_only})


async def login(call: Call) -> Response:
    """``POST /sessions``: a session for a user and a password, never over the plain port."""
    prover = call.body["sudo"] or call.body["user"]
    prover_id = await prove(call, prover, call.body["password"])

    def opened() -> Actor:
        if not call.body["sudo"]:
            return call.blitz.sessions.open(prover_id, _opening(call))
        user_id = call.blitz.logins.find_user(call.body["user"])
        return call.blitz.sessions.open(user_id, _opening(call, prover_id))

    return answer(session_document(call.blitz, await run_in_threadpool(opened)), 201)


def _opening(call: Call, sudoer_id: int | None = None) -> Opening:
    """What the request says of the session."""
    body = call.body
    return Opening(
        body["agent"], call.ip, body["group"], sudoer_id, body.get("time_to_idle_ms"), body.get("time_to_live_ms")
    )


def open_for_other(call: Call) -> Response:
    """``POST /sessions/others``: a session in another user's name, for administrators and group owners."""
    if call.actor.sudoer:
        raise denied("a session in another's name opens no further ones")
    user = call.body.get("user_id", call.body.get("user"))
    if user is None:
        raise invalid("neither user nor user_id is given")
    user_id = call.blitz.logins.find_user(user)
    actor = call.blitz.sessions.open(user_id, _opening(call, call.actor.user_id))
    return answer(session_document(call.blitz, actor), 201)


def current(call: Call) -> Response:
    """``GET /sessions/current``: the session of the key."""
    return answer(session_document(call.blitz, call.actor))


def change(call: Call) -> Response:
    """``PATCH /sessions/current``: the group that the session works in, and its timeout."""
    sessions, actor = call.blitz.sessions, call.actor
    if "group" in call.body:
        actor = sessions.switch(actor, call.body["group"])
    if "time_to_idle_ms" in call.body:
        actor = sessions.limit(actor, call.body["time_to_idle_ms"])
    return answer(session_document(call.blitz, actor))


def close_other(call: Call) -> Response:
    """``DELETE /sessions/{id}``: by its number, which is no credential."""
    call.blitz.sessions.close_other(call.actor, call.path["id"])
    return nothing()


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
            "id": session.id,
            "user": session.user,
            "group": session.group,
            "agent": session.agent,
            "ip": session.ip,
            "started": milliseconds(session.started),
            "last_used": milliseconds(session.last_used),
            "time_to_idle_ms": session.idle_ms,
            "sudoer": session.sudoer,
        }
        for session in call.blitz.sessions.listing(call.actor)
    ]
    return answer({"sessions": sessions})


def open_for_server(call: Call) -> Response:
    """``POST /internal/sessions``: a session without a password, for another server of this instance."""
    user_id = call.blitz.logins.find_user(call.body["user"])
    actor = call.blitz.sessions.open(user_id, Opening(call.body["agent"], "127.0.0.1"))
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
            "sudoer": TEXT,
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
    record(
        {
            "id": ID,
            "user": TEXT,
            "group": TEXT,
            "agent": TEXT,
            "ip": TEXT,
            "started": TIME,
            "last_used": TIME,
            "time_to_idle_ms": WHOLE,
            "sudoer": TEXT,
        }
    ),
)

_AGENT = {"agent": default(TEXT, "")}
_GROUP = words(_LONGEST_NAME, fewest=1)
_CHOICES: dict[str, Form] = {"group": default(words(_LONGEST_NAME), ""), "time_to_idle_ms": WHOLE, **_AGENT}
"""What may be said of a new session."""

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
        "A session for a user and a password, or for a user and the password of the administrator or group owner"
        " named as sudo; never over the plain port.",
        _SESSION,
        body=record({"user": TEXT, "password": TEXT}, {"sudo": default(TEXT, ""), **_CHOICES}),
        status=201,
        errors=("authentication-failed", "password-needs-tls", "login-throttled", "permission-denied", "not-found"),
        session=False,
        writes=False,
    ),
    Operation(
        "openSessionForOther",
        "POST",
        "/sessions/others",
        open_for_other,
        "A session in the name of another user, for administrators with the privilege Sudo and owners of its groups.",
        _SESSION,
        body=record({}, {"user": TEXT, "user_id": ID, "time_to_live_ms": WHOLE, **_CHOICES}),
        status=201,
        errors=("not-found",),
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
    Operation(
        "changeSession",
        "PATCH",
        "/sessions/current",
        change,
        "Choose the group that the session works in, by name or id, or how long it may idle.",
        _SESSION,
        body=record({}, {"group": _GROUP, "time_to_idle_ms": WHOLE}),
        writes=False,
    ),
    Operation("closeSession", "DELETE", "/sessions/current", close, "End the session; its key is dead.", writes=False),
    Operation(
        "closeOtherSession",
        "DELETE",
        "/sessions/{id}",
        close_other,
        "End a session by its number: one's own, one opened in another's name, or any for administrators.",
        writes=False,
    ),
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
        body=record({"user": TEXT}, _AGENT),
        status=201,
        errors=("not-found",),
        session=False,
        writes=False,
    ),
)
