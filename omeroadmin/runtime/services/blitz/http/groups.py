"""Routes of groups: lists, creation, changes, members, permissions."""

from __future__ import annotations

from dataclasses import asdict

from starlette.responses import Response

from omeroadmin.runtime.services.blitz.http.calls import Call, answer
from omeroadmin.runtime.services.blitz.http.forms import FLAG, ID, TEXT, WHOLE, default, named, page, words
from omeroadmin.runtime.services.blitz.http.operation import Operation
from omeroadmin.runtime.services.blitz.http.people import CHANGED, GROUP, IDS, LOOKUP, NAME, PAGE, PERMISSIONS
from omeroadmin.runtime.services.blitz.services.levels import parse_permissions
from omeroadmin.schema.forms import array, record, table


def listing(call: Call) -> Response:
    """``GET /groups``: all, page by page."""
    _ = call.actor
    found = call.blitz.admin.directory.groups(after=call.query["after"], limit=call.query["limit"])
    return answer({"groups": found.rows, "next": found.next})


def lookup(call: Call) -> Response:
    """``POST /groups/lookup``: those that exist of some ids and names."""
    _ = call.actor
    return answer({"groups": call.blitz.admin.directory.chosen_groups(call.body["ids"], call.body["names"])})


def one(call: Call) -> Response:
    """``GET /groups/ID``."""
    _ = call.actor
    return answer(call.blitz.admin.directory.group(call.path["id"]))


def create(call: Call) -> Response:
    """``POST /groups``: a group without members."""
    admin, body = call.blitz.admin, call.body
    permissions = parse_permissions(body["permissions"])
    made = admin.groups.create(call.actor, body["name"], permissions=permissions, description=body["description"])
    return answer(admin.directory.group(made), 201)


def update(call: Call) -> Response:
    """``PATCH /groups/ID``: name and description."""
    admin = call.blitz.admin
    admin.groups.update(call.actor, call.path["id"], call.body)
    return answer(admin.directory.group(call.path["id"]))


def set_permissions(call: Call) -> Response:
    """``PUT /groups/ID/permissions``: the level of sharing."""
    permissions = parse_permissions(call.body["permissions"])
    levels = call.blitz.admin.levels
    change = levels.change(call.actor, call.path["id"], permissions, dry_run=call.body["dry_run"])
    return answer(asdict(change))


def add_members(call: Call) -> Response:
    """``POST /groups/ID/members``: all or none."""
    body = call.body
    memberships = call.blitz.admin.memberships
    changed = memberships.add(call.actor, call.path["id"], body["users"], as_owner=body["as_owner"])
    return answer({"changed": changed})


def remove_members(call: Call) -> Response:
    """``POST /groups/ID/members/remove``: all or none."""
    body = call.body
    memberships = call.blitz.admin.memberships
    changed = memberships.remove(call.actor, call.path["id"], body["users"], as_owner=body["as_owner"])
    return answer({"changed": changed})


_MEMBERS = record({"users": IDS}, {"as_owner": default(FLAG, False)})
_DESCRIPTION = words()

OPERATIONS = (
    Operation("listGroups", "GET", "/groups", listing, "All groups, page by page.", page("groups", GROUP), PAGE),
    Operation(
        "lookupGroups",
        "POST",
        "/groups/lookup",
        lookup,
        "Those groups that exist of some ids and names.",
        record({"groups": array(GROUP)}),
        body=LOOKUP,
        writes=False,
    ),
    Operation(
        "createGroup",
        "POST",
        "/groups",
        create,
        "Create a group without members.",
        GROUP,
        body=record(
            {"name": NAME}, {"permissions": default(PERMISSIONS, "rw----"), "description": default(_DESCRIPTION, "")}
        ),
        status=201,
        errors=("group-exists",),
    ),
    Operation("getGroup", "GET", "/groups/{id}", one, "One group.", GROUP),
    Operation(
        "updateGroup",
        "PATCH",
        "/groups/{id}",
        update,
        "Change a group's name or description.",
        GROUP,
        body=record({}, {"name": NAME, "description": _DESCRIPTION}),
        errors=("group-exists", "role-protected"),
    ),
    Operation(
        "setGroupPermissions",
        "PUT",
        "/groups/{id}/permissions",
        set_permissions,
        "Change what members of a group share; tells what is unlinked.",
        named(
            "GroupPermissionsChange",
            record({"group_id": ID, "name": TEXT, "before": TEXT, "after": TEXT, "removed": table(WHOLE)}),
        ),
        body=record({"permissions": PERMISSIONS}, {"dry_run": default(FLAG, False)}),
        errors=("data-inseparable", "role-protected"),
    ),
    Operation(
        "addMembers",
        "POST",
        "/groups/{id}/members",
        add_members,
        "Put users into a group, as members or as owners.",
        CHANGED,
        body=_MEMBERS,
        errors=("role-protected",),
    ),
    Operation(
        "removeMembers",
        "POST",
        "/groups/{id}/members/remove",
        remove_members,
        "Take users out of a group, or out of its owners.",
        CHANGED,
        body=_MEMBERS,
        errors=("role-protected", "last-group"),
    ),
)
