"""Users of a running Blitz: creation, changes, passwords, groups, and who may do it."""

from __future__ import annotations

import concurrent.futures
import time
from typing import Any

import pytest

from tests.support.liveserver import Answer, LiveServer
from tests.support.people import PASSWORD, People, Person

NEW = "another password"


@pytest.fixture(scope="module")
def people(live_server: LiveServer) -> People:
    return People(live_server)


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def test_a_new_user_logs_in_and_is_known(people: People, live_server: LiveServer) -> None:
    first, second = people.group(), people.group("rwra--")
    wish = people.wish(first, second, middle_name="K", email="ada@example.org", institution="Analytical")
    made = people.root.call("POST", "/users", wish)
    assert made.status == 201
    user = made.document
    assert user == {
        "id": user["id"], "name": wish["name"], "first_name": "Ada", "middle_name": "K", "last_name": "Lovelace",
        "email": "ada@example.org", "institution": "Analytical", "ldap": False, "active": True, "admin": False,
        "privileges": [], "default_group": first, "member_of": [first, second], "owner_of": [],
    }  # fmt: skip
    session = live_server.tls().login(wish["name"], PASSWORD).call("GET", "/sessions/current").document
    assert (session["user_id"], session["group_id"]) == (user["id"], first)
    stored = live_server.sql("SELECT hash FROM password WHERE experimenter_id = %s", user["id"])
    assert stored[0][0].startswith("$scrypt$")


def test_every_change_leaves_an_event(people: People, live_server: LiveServer) -> None:
    user = people.user()
    other = people.group()
    people.root.call("POST", f"/groups/{other}/members", {"users": [user.id]})
    people.root.call("PATCH", f"/users/{user.id}", {"email": "x@example.org"})
    people.root.call("POST", f"/groups/{other}/members/remove", {"users": [user.id]})
    rows = live_server.sql(
        "SELECT l.action, e.experimenter FROM eventlog l JOIN event e ON e.id = l.event"
        " WHERE l.entitytype = 'ome.model.meta.Experimenter' AND l.entityid = %s ORDER BY l.id",
        user.id,
    )
    assert rows == [("INSERT", 0), ("UPDATE", 0), ("UPDATE", 0), ("UPDATE", 0)]
    maps = live_server.sql(
        "SELECT l.action FROM eventlog l WHERE l.entitytype = 'ome.model.meta.GroupExperimenterMap'"
        " ORDER BY l.id DESC LIMIT 4"
    )
    assert [action for (action,) in maps] == ["DELETE", "INSERT", "INSERT", "INSERT"]


def test_names_are_taken_once(people: People, live_server: LiveServer) -> None:
    log = live_server.database.instance.log_directory / "postgresql.log"
    errors = log.read_text().count("ERROR")
    wish = people.wish()
    made = people.root.call("POST", "/users", wish)
    again = people.root.call("POST", "/users", wish)
    assert refusal(again) == (409, "user-exists")
    assert again.document["error"]["message"] == f"User exists: {wish['name']} (id={made.document['id']})"
    other = people.user()
    assert refusal(people.root.call("PATCH", f"/users/{other.id}", {"name": wish["name"]})) == (409, "user-exists")
    assert log.read_text().count("ERROR") == errors, "it is no error that an administrator must look into"


def test_of_many_at_once_one_gets_the_name(people: People, live_server: LiveServer) -> None:
    wish = people.wish()
    clients = [live_server.tls() for _ in range(4)]
    for client in clients:
        client.key = people.root.api.key
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda client: client.call("POST", "/users", wish).status, clients))
    assert sorted(statuses) == [201, 409, 409, 409]
    assert live_server.sql("SELECT count(*) FROM experimenter WHERE omename = %s", wish["name"]) == [(1,)]


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"groups": []}, 400, "request-invalid"),
        ({"groups": [1]}, 400, "request-invalid"),
        ({"groups": [2]}, 409, "role-protected"),
        ({"groups": [2**62]}, 404, "not-found"),
        ({"name": "  "}, 400, "request-invalid"),
        ({"name": "two\nlines"}, 400, "request-invalid"),
        ({"name": "x" * 256}, 400, "request-invalid"),
        ({"first_name": ""}, 400, "request-invalid"),
        ({"password": ""}, 400, "password-empty"),
        ({"password": None}, 400, "password-empty"),
        ({"privileges": ["Sudo"]}, 400, "request-invalid"),
        ({"admin": True, "privileges": ["Dance"]}, 400, "request-invalid"),
        ({"email": "x" * 256}, 400, "request-invalid"),
        ({"shoe_size": 42}, 400, "request-invalid"),
    ],
)
def test_bad_wishes_change_nothing(
    people: People, live_server: LiveServer, changed: dict[str, Any], status: int, code: str
) -> None:
    before = live_server.sql("SELECT count(*) FROM experimenter")
    assert refusal(people.root.call("POST", "/users", {**people.wish(), **changed})) == (status, code)
    assert live_server.sql("SELECT count(*) FROM experimenter") == before


def test_passwords_travel_with_tls_only(people: People, live_server: LiveServer) -> None:
    plain = live_server.plain()
    plain.key = people.root.api.key
    assert refusal(plain.call("POST", "/users", people.wish())) == (403, "password-needs-tls")
    body = {"password": NEW, "current_password": PASSWORD}
    assert refusal(plain.call("PUT", "/users/0/password", body)) == (403, "password-needs-tls")


def test_everybody_sees_users_in_pages_and_by_name(people: People) -> None:
    user = people.user()
    listed: list[int] = []
    after: int | None = -1
    while after is not None:
        page = user.call("GET", f"/users?after={after}&limit=2").document
        listed += [one["id"] for one in page["users"]]
        after = page["next"]
    assert listed == sorted(set(listed))
    assert {0, 1, user.id} <= set(listed)
    chosen = user.call("POST", "/users/lookup", {"ids": [user.id], "names": ["root", "nobody"]}).document["users"]
    assert [one["id"] for one in chosen] == [0, user.id]
    assert chosen[0]["admin"]
    assert len(chosen[0]["privileges"]) == 15
    assert refusal(user.call("GET", "/users/999999")) == (404, "not-found")


def test_users_change_what_is_theirs(people: People) -> None:
    user, other = people.user(), people.user()
    changed = user.call("PATCH", f"/users/{user.id}", {"email": "me@example.org", "middle_name": ""})
    assert changed.status == 200
    assert changed.document["email"] == "me@example.org"
    assert refusal(user.call("PATCH", f"/users/{user.id}", {"name": "root2"})) == (403, "permission-denied")
    assert refusal(user.call("PATCH", f"/users/{other.id}", {"email": "x"})) == (403, "permission-denied")
    assert refusal(user.call("PATCH", f"/users/{user.id}", {})) == (400, "request-invalid")


def test_root_and_guest_stay_who_they_are(people: People) -> None:
    root = people.root
    assert refusal(root.call("PATCH", "/users/0", {"name": "admin"})) == (409, "role-protected")
    assert refusal(root.call("PATCH", "/users/1", {"name": "visitor"})) == (409, "role-protected")
    assert root.call("PATCH", "/users/0", {"name": "root", "email": "root@example.org"}).status == 200
    assert refusal(root.call("PUT", "/users/0/privileges", {"privileges": []})) == (409, "role-protected")
    body = {"password": NEW, "current_password": "wrong"}
    assert refusal(root.call("PUT", "/users/1/password", body)) == (401, "authentication-failed")


def test_ones_own_password_needs_the_old_one(people: People, live_server: LiveServer) -> None:
    user = people.user()
    wrong = {"password": NEW, "current_password": "wrong"}
    assert refusal(user.call("PUT", f"/users/{user.id}/password", wrong)) == (401, "authentication-failed")
    live_server.tls().login(user.name, PASSWORD)
    assert user.call("PUT", f"/users/{user.id}/password", {**wrong, "current_password": PASSWORD}).status == 204
    live_server.tls().login(user.name, NEW)
    body = {"user": user.name, "password": PASSWORD, "agent": "tests"}
    assert live_server.tls().call("POST", "/sessions", body).status == 401
    empty = {"password": "", "current_password": NEW}
    assert refusal(user.call("PUT", f"/users/{user.id}/password", empty)) == (400, "password-empty")


def test_administrators_set_the_passwords_of_others(people: People, live_server: LiveServer) -> None:
    user, admin, lesser = people.user(), people.admin("ModifyUser"), people.admin("ModifyGroup")
    body = {"password": NEW, "current_password": PASSWORD}
    assert refusal(lesser.call("PUT", f"/users/{user.id}/password", body)) == (403, "permission-denied")
    assert refusal(user.call("PUT", f"/users/{admin.id}/password", body)) == (403, "permission-denied")
    assert admin.call("PUT", f"/users/{user.id}/password", body).status == 204
    live_server.tls().login(user.name, NEW)
    for above in (0, lesser.id):
        assert refusal(admin.call("PUT", f"/users/{above}/password", body)) == (403, "permission-denied")
    assert refusal(admin.call("PUT", "/users/1/password", body)) == (409, "role-protected")


def test_guessing_ones_own_password_is_slowed_down_as_logins_are(people: People) -> None:
    user = people.user()

    def guess() -> float:
        began = time.monotonic()
        body = {"password": NEW, "current_password": "wrong"}
        assert refusal(user.call("PUT", f"/users/{user.id}/password", body)) == (401, "authentication-failed")
        return time.monotonic() - began

    first = guess()
    assert guess() - first > 0.15


def test_passwords_of_ldap_are_changed_there(people: People, live_server: LiveServer) -> None:
    user = people.user()
    live_server.sql("UPDATE experimenter SET ldap = true WHERE id = %s", user.id)
    body = {"password": NEW, "current_password": PASSWORD}
    assert refusal(user.call("PUT", f"/users/{user.id}/password", body)) == (409, "password-elsewhere")


def test_leaving_the_group_user_ends_sessions(people: People, live_server: LiveServer) -> None:
    user = people.user()
    gone = people.root.call("POST", "/groups/1/members/remove", {"users": [user.id]})
    assert gone.document == {"changed": [user.id]}
    assert refusal(user.call("GET", "/sessions/current")) == (401, "session-expired")
    body = {"user": user.name, "password": PASSWORD, "agent": "tests"}
    assert live_server.tls().call("POST", "/sessions", body).status == 401
    assert not people.root.call("GET", f"/users/{user.id}").document["active"]
    assert people.root.call("POST", "/groups/1/members", {"users": [user.id]}).status == 200
    live_server.tls().login(user.name, PASSWORD)


def test_the_default_group_is_chosen(people: People, live_server: LiveServer) -> None:
    first, second, third = people.group(), people.group(), people.group()
    user = people.user(first, second, third)
    assert user.call("PUT", f"/users/{user.id}/default-group", {"group_id": third}).status == 204
    about = user.about()
    assert (about["default_group"], about["member_of"]) == (third, [third, first, second])
    assert user.call("GET", "/sessions/current").document["group_id"] in (first, third)
    assert live_server.tls().login(user.name, PASSWORD).call("GET", "/sessions/current").document["group_id"] == third
    path = f"/users/{user.id}/default-group"
    assert refusal(user.call("PUT", path, {"group_id": people.group()})) == (409, "group-not-joined")
    assert refusal(user.call("PUT", path, {"group_id": 1})) == (400, "request-invalid")
    assert refusal(people.user().call("PUT", path, {"group_id": first})) == (403, "permission-denied")


def test_nobody_leaves_the_last_group(people: People) -> None:
    first, second = people.group(), people.group()
    user = people.user(first)

    def leave(group: int) -> Answer:
        return people.root.call("POST", f"/groups/{group}/members/remove", {"users": [user.id]})

    assert refusal(leave(first)) == (409, "last-group")
    people.root.call("POST", f"/groups/{second}/members", {"users": [user.id]})
    assert leave(first).document == {"changed": [user.id]}
    assert leave(first).document == {"changed": []}


def test_of_two_removals_at_once_one_keeps_the_last_group(people: People, live_server: LiveServer) -> None:
    groups = [people.group(), people.group()]
    user = people.user(*groups)
    clients = [live_server.tls(), live_server.tls()]
    for client in clients:
        client.key = people.root.api.key

    def leave(index: int) -> int:
        path = f"/groups/{groups[index]}/members/remove"
        return clients[index].call("POST", path, {"users": [user.id]}).status

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, range(2))) == [200, 409]
    assert len(user.about()["member_of"]) == 1


@pytest.mark.parametrize(
    ("group", "user", "verb", "code"),
    [
        (0, 0, "/remove", "role-protected"),
        (1, 0, "/remove", "role-protected"),
        (2, 1, "/remove", "role-protected"),
        (1, 1, "", "role-protected"),
        (2, 0, "", "role-protected"),
        (0, 1, "", "role-protected"),
    ],
)
def test_roles_stay_in_their_groups(people: People, group: int, user: int, verb: str, code: str) -> None:
    answer = people.root.call("POST", f"/groups/{group}/members{verb}", {"users": [user]})
    assert refusal(answer) == (409, code)


def test_administrators_dont_lock_themselves_out(people: People) -> None:
    admin: Person = people.user(people.group(), admin=True)
    for group in (0, 1):
        answer = admin.call("POST", f"/groups/{group}/members/remove", {"users": [admin.id]})
        assert refusal(answer) == (409, "role-protected")
    assert refusal(admin.call("POST", "/groups/1/members", {"users": [admin.id], "as_owner": True})) == (
        409,
        "role-protected",
    )
