"""Groups of a running Blitz: creation, changes, members and owners, and who may do it."""

from __future__ import annotations

import secrets

import pytest

from tests.support.liveserver import Answer, LiveServer
from tests.support.people import People


@pytest.fixture(scope="module")
def people(live_server: LiveServer) -> People:
    return People(live_server)


def refusal(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


@pytest.mark.parametrize(
    ("text", "level", "mask"),
    [
        ("rw----", "private", -120),
        ("rwr---", "read-only", -56),
        ("rwra--", "read-annotate", -40),
        ("rwrw--", "read-write", -8),
    ],
)
def test_a_new_group_has_its_level(people: People, live_server: LiveServer, text: str, level: str, mask: int) -> None:
    name = f"lab-{secrets.token_hex(4)}"
    made = people.root.call("POST", "/groups", {"name": name, "permissions": text, "description": "Our lab"})
    assert made.status == 201
    number = made.document["id"]
    assert made.document == {
        "id": number, "name": name, "description": "Our lab", "ldap": False, "permissions": text, "level": level,
        "owners": [], "members": [],
    }  # fmt: skip
    assert live_server.sql("SELECT permissions FROM experimentergroup WHERE id = %s", number) == [(mask,)]
    again = people.root.call("POST", "/groups", {"name": name})
    assert refusal(again) == (409, "group-exists")
    assert again.document["error"]["message"] == f"Group exists: {name} (id={number})"


@pytest.mark.parametrize("permissions", ["rwxrwx", "r-----", "rw", "-w----", "rwrwrz", "rw-w--", "rw-a--"])
def test_bad_permissions_are_refused(people: People, permissions: str) -> None:
    body = {"name": f"lab-{secrets.token_hex(4)}", "permissions": permissions}
    assert refusal(people.root.call("POST", "/groups", body)) == (400, "request-invalid")
    group = people.group()
    answer = people.root.call("PUT", f"/groups/{group}/permissions", {"permissions": permissions})
    assert refusal(answer) == (400, "request-invalid")


def test_groups_are_listed_with_owners_and_members(people: People) -> None:
    group = people.group()
    owner, member = people.user(group, owner=True), people.user(group)
    about = member.call("GET", f"/groups/{group}").document
    assert (about["owners"], about["members"]) == ([owner.id], [member.id])
    listed = member.call("GET", "/groups?limit=10000").document
    assert about in listed["groups"]
    assert listed["next"] is None
    assert [one["id"] for one in listed["groups"]][:3] == [0, 1, 2]
    chosen = member.call("POST", "/groups/lookup", {"ids": [group], "names": ["system"]}).document["groups"]
    assert chosen[1] == about


def test_only_some_create_groups(people: People) -> None:
    owner = people.user(people.group(), owner=True)
    body = {"name": f"lab-{secrets.token_hex(4)}"}
    assert refusal(owner.call("POST", "/groups", body)) == (403, "permission-denied")
    assert refusal(people.admin("ModifyUser").call("POST", "/groups", body)) == (403, "permission-denied")
    assert people.admin("ModifyGroup").call("POST", "/groups", body).status == 201


def test_names_and_descriptions_change(people: People) -> None:
    group, other = people.group(), people.group()
    owner = people.user(group, owner=True)
    name = f"lab-{secrets.token_hex(4)}"
    changed = owner.call("PATCH", f"/groups/{group}", {"name": f" {name} ", "description": "of Ada"})
    assert (changed.document["name"], changed.document["description"]) == (name, "of Ada")
    assert refusal(owner.call("PATCH", f"/groups/{other}", {"description": "mine"})) == (403, "permission-denied")
    assert refusal(people.root.call("PATCH", f"/groups/{other}", {"name": name})) == (409, "group-exists")
    assert refusal(people.root.call("PATCH", f"/groups/{other}", {"name": "a\tb"})) == (400, "request-invalid")
    assert refusal(people.root.call("PATCH", f"/groups/{other}", {})) == (400, "request-invalid")
    for own in range(3):
        assert refusal(people.root.call("PATCH", f"/groups/{own}", {"name": "mine"})) == (409, "role-protected")
        answer = people.root.call("PUT", f"/groups/{own}/permissions", {"permissions": "rwrw--"})
        assert refusal(answer) == (409, "role-protected")


def test_owners_care_for_their_group(people: People) -> None:
    group, elsewhere = people.group(), people.group()
    owner, member, stranger = people.user(group, owner=True), people.user(group), people.user()
    path = f"/groups/{group}/members"
    assert owner.call("POST", path, {"users": [stranger.id, member.id]}).document == {"changed": [stranger.id]}
    assert owner.call("POST", path, {"users": [member.id], "as_owner": True}).document == {"changed": [member.id]}
    assert sorted(people.root.call("GET", f"/groups/{group}").document["owners"]) == [owner.id, member.id]
    removal = {"users": [member.id], "as_owner": True}
    assert owner.call("POST", f"{path}/remove", removal).document == {"changed": [member.id]}
    assert member.id in people.root.call("GET", f"/groups/{group}").document["members"]
    assert owner.call("POST", f"{path}/remove", {"users": [stranger.id]}).document == {"changed": [stranger.id]}
    body = {"users": [stranger.id]}
    assert refusal(owner.call("POST", f"/groups/{elsewhere}/members", body)) == (403, "permission-denied")
    assert refusal(member.call("POST", path, body)) == (403, "permission-denied")
    assert refusal(owner.call("POST", "/groups/0/members", body)) == (403, "permission-denied")
    assert refusal(owner.call("POST", f"{path}/remove", {"users": [2**40]})) == (404, "not-found")


def test_members_are_added_all_or_none(people: People) -> None:
    group, user = people.group(), people.user()
    answer = people.root.call("POST", f"/groups/{group}/members", {"users": [user.id, 2**40]})
    assert refusal(answer) == (404, "not-found")
    assert people.root.call("GET", f"/groups/{group}").document["members"] == []


def test_a_member_who_leaves_sees_nothing_at_the_next_request(people: People) -> None:
    group = people.group("rwr---")
    user = people.user(people.group(), group)
    image = _import_as(people, group)
    assert user.call("GET", f"/images/{image}").status == 200
    people.root.call("POST", f"/groups/{group}/members/remove", {"users": [user.id]})
    assert refusal(user.call("GET", f"/images/{image}")) == (404, "not-found")
    people.root.call("POST", f"/groups/{group}/members", {"users": [user.id]})
    assert user.call("GET", f"/images/{image}").status == 200


def _import_as(people: People, group: int) -> int:
    import pyvips

    content: bytes = pyvips.Image.black(8, 8).write_to_buffer(".png")
    done = people.user(group).api.import_files(("/data/cell.png", content))
    assert done.status == 201, done
    return int(done.document["images"][0]["id"])
