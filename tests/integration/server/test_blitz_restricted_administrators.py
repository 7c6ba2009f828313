"""Restricted administrators of a running Blitz: each privilege by itself, and no way around a restriction."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from omeroadmin.schema.privileges import Privilege
from tests.support.liveserver import Answer, LiveServer
from tests.support.people import PASSWORD, People, Person


@pytest.fixture(scope="module")
def people(live_server: LiveServer) -> People:
    return People(live_server)


def attempts(people: People) -> dict[str, tuple[str, str, Any]]:
    """Something to do that needs each of the privileges over users and groups, and the request for it."""
    group, user = people.group(), people.user()
    return {
        "ModifyUser": ("PATCH", f"/users/{user.id}", {"email": "x@example.org"}),
        "ModifyGroup": ("PUT", f"/groups/{group}/permissions", {"permissions": "rwrw--"}),
        "ModifyGroupMembership": ("POST", f"/groups/{group}/members", {"users": [user.id]}),
    }


@pytest.mark.parametrize("privilege", [privilege.value for privilege in Privilege])
def test_each_privilege_permits_its_own_and_nothing_else(people: People, privilege: str) -> None:
    admin = people.admin(privilege)
    assert admin.about()["privileges"] == [privilege]
    for needed, (method, path, body) in attempts(people).items():
        answer = admin.call(method, path, body)
        assert answer.status == (200 if needed == privilege else 403), (needed, answer)


def test_restrictions_are_rows_as_omero_has_them(people: People, live_server: LiveServer) -> None:
    admin = people.admin("Sudo", "WriteOwned")
    rows = live_server.sql(
        "SELECT name, value FROM experimenter_config WHERE experimenter_id = %s ORDER BY index", admin.id
    )
    assert len(rows) == 13
    assert ("AdminPrivilege:ModifyUser", "false") in rows
    assert not {"AdminPrivilege:Sudo", "AdminPrivilege:WriteOwned"} & {name for name, _ in rows}


def test_creating_users_takes_two_privileges(people: People) -> None:
    for names in (["ModifyUser"], ["ModifyGroupMembership"]):
        assert people.admin(*names).call("POST", "/users", people.wish()).status == 403
    assert people.admin("ModifyUser", "ModifyGroupMembership").call("POST", "/users", people.wish()).status == 201


def test_nobody_makes_an_administrator_above_themselves(people: People) -> None:
    admin = people.admin("ModifyUser", "ModifyGroupMembership", "Sudo")
    more = people.wish(admin=True, privileges=["ModifyUser", "Chown"])
    assert denied(admin.call("POST", "/users", more))
    made = admin.call("POST", "/users", people.wish(admin=True))
    assert made.status == 201
    assert made.document["privileges"] == ["ModifyGroupMembership", "ModifyUser", "Sudo"]


def test_nobody_lifts_a_restriction_that_applies_to_themselves(people: People) -> None:
    admin = people.admin("ModifyUser", "Sudo")
    other = people.admin("ModifyUser")

    def leave(*names: str, whose: Person = other) -> Answer:
        return admin.call("PUT", f"/users/{whose.id}/privileges", {"privileges": list(names)})

    assert denied(leave("ModifyUser", "Chown"))
    assert denied(leave("ModifyUser", "Chown", "Sudo", whose=admin))
    assert leave("ModifyUser", "Sudo").document["privileges"] == ["ModifyUser", "Sudo"]
    assert leave("Sudo").document["privileges"] == ["Sudo"]
    assert leave("Sudo", whose=admin).status == 200
    assert denied(leave("Sudo", "ModifyUser", whose=admin))


def test_nobody_takes_what_they_lack(people: People) -> None:
    admin, full = people.admin("ModifyUser", "ModifyGroupMembership"), people.user(people.group(), admin=True)
    assert denied(admin.call("PUT", f"/users/{full.id}/privileges", {"privileges": []}))
    assert denied(admin.call("PATCH", f"/users/{full.id}", {"email": "mine@example.org"}))
    for group in (0, 1):
        assert denied(admin.call("POST", f"/groups/{group}/members/remove", {"users": [full.id]}))


def test_joining_the_group_system_is_no_way_around(people: People, live_server: LiveServer) -> None:
    admin, user = people.admin("ModifyGroupMembership"), people.user()
    assert denied(admin.call("POST", "/groups/0/members", {"users": [user.id]}))
    assert people.root.call("POST", "/groups/0/members", {"users": [user.id]}).status == 200
    assert len(user.about()["privileges"]) == 15
    assert user.call("POST", "/groups", {"name": f"lab-{secrets.token_hex(4)}"}).status == 201
    assert people.root.call("POST", "/groups/0/members/remove", {"users": [user.id]}).status == 200
    assert denied(user.call("POST", "/groups", {"name": "no"}))
    live_server.tls().login(user.name, PASSWORD)


def test_who_changes_memberships_may_own_any_group_as_in_omero(people: People) -> None:
    group, admin = people.group(), people.admin("ModifyGroupMembership")
    made = admin.call("POST", f"/groups/{group}/members", {"users": [admin.id], "as_owner": True})
    assert made.status == 200, made
    assert group in admin.about()["owner_of"]


def test_restrictions_wait_for_users_who_become_administrators(people: People) -> None:
    user = people.user()
    path = f"/users/{user.id}/privileges"
    assert people.root.call("PUT", path, {"privileges": ["Sudo"]}).document["privileges"] == []
    people.root.call("POST", "/groups/0/members", {"users": [user.id]})
    assert user.about()["privileges"] == ["Sudo"]


def test_a_session_loses_a_privilege_at_once(people: People) -> None:
    admin = people.admin("ModifyGroup")
    body = {"name": f"lab-{secrets.token_hex(4)}"}
    assert admin.call("POST", "/groups", body).status == 201
    people.root.call("PUT", f"/users/{admin.id}/privileges", {"privileges": []})
    assert denied(admin.call("POST", "/groups", {"name": f"lab-{secrets.token_hex(4)}"}))


def test_the_way_by_objects_is_no_way_around(people: People) -> None:
    admin, lesser, full = people.admin("ModifyUser", "Sudo"), people.admin("ModifyUser"), people.user(admin=True)

    def config(user: Person, value: str | None, name: str = "Sudo", by: Person = admin) -> Answer:
        body = {"key": f"AdminPrivilege:{name}", "value": value}
        return by.call("PATCH", f"/objects/Experimenter/{user.id}/maps/config", body)

    assert config(lesser, "true").status == 200
    assert lesser.about()["privileges"] == ["ModifyUser", "Sudo"]
    assert config(lesser, "false").status == 200
    assert lesser.about()["privileges"] == ["ModifyUser"]
    for value in ("true", None):
        assert denied(config(lesser, value, "Chown"))
        assert denied(config(admin, value, "Sudo", by=lesser))
    assert denied(config(full, "false", "Chown"))
    assert (config(people.root, "false", by=full).code, people.root.about()["admin"]) == ("role-protected", True)
    for user in (full, people.root):
        path = f"/objects/Experimenter/{user.id}"
        assert denied(admin.call("PATCH", path, {"fields": {"email": "mine@example.org"}}))
        assert denied(admin.call("PATCH", f"{path}/maps/config", {"key": "theme", "value": "dark"}))
    assert (
        admin.call("PATCH", f"/objects/Experimenter/{lesser.id}", {"fields": {"email": "x@example.org"}}).status == 200
    )


def denied(answer: Answer) -> bool:
    return (answer.status, answer.code) == (403, "permission-denied")
