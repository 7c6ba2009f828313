"""Routes of users: lists, creation, changes, passwords, privileges."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer, nothing
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, default, maybe, page, words
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.http.people import (
    DETAILS,
    IDS,
    LOOKUP,
    MORE_DETAILS,
    NAME,
    PAGE,
    PRIVILEGES,
    USER,
)
from omeroadmin.runtime.services.blitz.http.proving import prove, require_tls
from omeroadmin.runtime.services.blitz.services.admin.users import NewUser
from omeroadmin.runtime.services.blitz.services.problems import denied
from omeroadmin.schema.forms import array, record


def listing(call: Call) -> Response:
    """``GET /users``: all, page by page."""
    _ = call.actor
    found = call.blitz.admin.directory.users(after=call.query["after"], limit=call.query["limit"])
    return answer({"users": found.rows, "next": found.next})


def lookup(call: Call) -> Response:
    """``POST /users/lookup``: those that exist of some ids and names."""
    _ = call.actor
    return answer({"users": call.blitz.admin.directory.chosen_users(call.body["ids"], call.body["names"])})


def one(call: Call) -> Response:
    """``GET /users/ID``."""
    _ = call.actor
    return answer(call.blitz.admin.directory.user(call.path["id"]))


def create(call: Call) -> Response:
    """``POST /users``: a user who can log in."""
    body = call.body
    if body["password"] is not None:
        require_tls(call)
    wish = NewUser(
        {name: body[name] for name in ("name", *DETAILS, *MORE_DETAILS) if name in body},
        body["groups"],
        body["admin"],
        body["privileges"],
        body["password"],
    )
    admin = call.blitz.admin
    return answer(admin.directory.user(admin.users.create(call.actor, wish)), 201)


def update(call: Call) -> Response:
    """``PATCH /users/ID``: what is known of a user."""
    admin = call.blitz.admin
    admin.users.update(call.actor, call.path["id"], call.body)
    return answer(admin.directory.user(call.path["id"]))


async def set_password(call: Call) -> Response:
    """``PUT /users/ID/password``: with the password of whoever asks."""
    proven = await prove(call, call.actor.user, call.body["current_password"])
    if proven != call.actor.user_id:
        raise denied("the password is that of another user")
    await run_in_threadpool(call.blitz.admin.passwords.change, call.actor, call.path["id"], call.body["password"])
    return nothing()


def set_default_group(call: Call) -> Response:
    """``PUT /users/ID/default-group``."""
    call.blitz.admin.memberships.set_default_group(call.actor, call.path["id"], call.body["group_id"])
    return nothing()


def set_privileges(call: Call) -> Response:
    """``PUT /users/ID/privileges``: what is left to an administrator."""
    admin = call.blitz.admin
    admin.restrictions.set_privileges(call.actor, call.path["id"], call.body["privileges"])
    return answer(admin.directory.user(call.path["id"]))


_PASSWORD = words(4096)
_NEW_USER = record(
    {"name": NAME, **DETAILS, "groups": IDS},
    {
        **MORE_DETAILS,
        "admin": default(FLAG, False),
        "privileges": default({**PRIVILEGES, "type": ["array", "null"]}, None),
        "password": default(maybe(_PASSWORD), None),
    },
)

OPERATIONS = (
    Operation("listUsers", "GET", "/users", listing, "All users, page by page.", page("users", USER), PAGE),
    Operation(
        "lookupUsers",
        "POST",
        "/users/lookup",
        lookup,
        "Those users that exist of some ids and names.",
        record({"users": array(USER)}),
        body=LOOKUP,
        writes=False,
    ),
    Operation(
        "createUser",
        "POST",
        "/users",
        create,
        "Create a user, active, with a default group.",
        USER,
        body=_NEW_USER,
        status=201,
        errors=("not-found", "user-exists", "password-empty", "password-needs-tls", "role-protected"),
    ),
    Operation("getUser", "GET", "/users/{id}", one, "One user.", USER),
    Operation(
        "updateUser",
        "PATCH",
        "/users/{id}",
        update,
        "Change a user's names, address or institution.",
        USER,
        body=record({}, {"name": NAME, **DETAILS, **MORE_DETAILS}),
        errors=("user-exists", "role-protected"),
    ),
    Operation(
        "setPassword",
        "PUT",
        "/users/{id}/password",
        set_password,
        "Set a password; the current one is that of whoever asks.",
        body=record({"password": _PASSWORD, "current_password": _PASSWORD}),
        errors=(
            "authentication-failed",
            "login-throttled",
            "password-needs-tls",
            "password-empty",
            "password-elsewhere",
            "role-protected",
        ),
    ),
    Operation(
        "setDefaultGroup",
        "PUT",
        "/users/{id}/default-group",
        set_default_group,
        "Let new data of a user go to one of its groups.",
        body=record({"group_id": ID}),
        errors=("group-not-joined",),
    ),
    Operation(
        "setPrivileges",
        "PUT",
        "/users/{id}/privileges",
        set_privileges,
        "Leave some privileges to an administrator.",
        USER,
        body=record({"privileges": PRIVILEGES}),
        errors=("role-protected",),
    ),
)
