"""Proofs of who somebody is: a password, over TLS only, with guessing slowed down."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool

from omeroadmin.errors import AdminError, failed_error
from omeroadmin.runtime.services.blitz.http.calls import Call

_PASSWORDS_AT_ONCE = asyncio.Semaphore(2)
"""Each check of a password takes 32 MiB and a tenth of a second of processor time, by intention."""


def require_tls(call: Call) -> None:
    """Make sure that a password didn't come in the clear.

    :raises AdminError: ``password-needs-tls``
    """
    if call.transport in ("tcp", "ws"):
        raise failed_error("password-needs-tls", "passwords are taken over TLS only; log in on the ssl port")


async def prove(call: Call, user: str, password: str) -> int:
    """The id of a user who knows the password.

    :raises AdminError: ``password-needs-tls``, ``authentication-failed``, ``login-throttled``
    """
    require_tls(call)
    throttle = call.blitz.throttle
    # Waiting costs no thread: others log in meanwhile.
    delay = throttle.enter(user, call.ip)
    succeeded: bool | None = None
    try:
        await asyncio.sleep(delay)
        async with _PASSWORDS_AT_ONCE:
            user_id = await run_in_threadpool(call.blitz.logins.authenticate, user, password)
        succeeded = True
    except AdminError as error:
        succeeded = False if error.code == "authentication-failed" else None
        raise
    finally:
        throttle.leave(user, call.ip, succeeded=succeeded)
    return user_id
