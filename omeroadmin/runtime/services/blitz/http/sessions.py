"""Routes of status and sessions."""

from __future__ import annotations

import asyncio
import functools

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.runtime.services.blitz.application import Blitz
from omeroadmin.runtime.services.blitz.http.calls import Call, Endpoint, answer, call_of, guarded, nothing, read_json
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.times import milliseconds

_PASSWORDS_AT_ONCE = 2
"""Each check of a password takes 32 MiB and a tenth of a second of processor time, by intention."""


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


def login_endpoint(blitz: Blitz) -> Endpoint:
    """``POST /sessions``: a session for a user and a password, never over the plain port."""
    limiter = CapacityLimiter(_PASSWORDS_AT_ONCE)

    async def login(request: Request) -> Response:
        return await guarded(request, functools.partial(_login, blitz, request, limiter))

    return login


async def _login(blitz: Blitz, request: Request, limiter: CapacityLimiter) -> Response:
    call = call_of(blitz, request, await read_json(request))
    if call.transport == "tcp":
        raise failed_error("password-needs-tls", "passwords are taken over TLS only; log in on the ssl port")
    user, password = call.member("user", str), call.member("password", str)
    agent = call.member("agent", str, "")
    # Waiting costs no thread: others log in meanwhile.
    delay = blitz.throttle.enter(user, call.ip)
    succeeded: bool | None = None
    try:
        await asyncio.sleep(delay)
        user_id = await to_thread.run_sync(blitz.logins.authenticate, user, password, limiter=limiter)
        succeeded = True
    except AdminError as error:
        succeeded = False if error.code == "authentication-failed" else None
        raise
    finally:
        blitz.throttle.leave(user, call.ip, succeeded=succeeded)
    actor = await to_thread.run_sync(functools.partial(blitz.sessions.open, user_id, agent=agent, ip=call.ip))
    return answer(session_document(blitz, actor), 201)


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
    user_id = call.blitz.logins.find_user(call.member("user", str))
    actor = call.blitz.sessions.open(user_id, agent=call.member("agent", str, ""), ip="127.0.0.1")
    return answer(session_document(call.blitz, actor), 201)
