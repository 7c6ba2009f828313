"""Who may see, edit, annotate and link whose objects: every kind of user in every kind of group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.liveserver import PASSWORD, Api, LiveServer

LEVELS = {"private": -120, "read-only": -56, "read-annotate": -40, "read-write": -8}
# One letter for each of private, read-only, read-annotate, read-write: the manual's tables for others' data.
CELLS = {
    "administrator": {"view": "YYYY", "edit": "YYYY", "annotate": "NYYY", "link": "NYYY"},
    "restricted": {"view": "YYYY", "edit": "NNNN", "annotate": "NNNN", "link": "NNNN"},
    "owner": {"view": "YYYY", "edit": "YYYY", "annotate": "NYYY", "link": "NYYY"},
    "member": {"view": "NYYY", "edit": "NNNY", "annotate": "NNYY", "link": "NNNY"},
    "stranger": {"view": "NNNN", "edit": "NNNN", "annotate": "NNNN", "link": "NNNN"},
}


@dataclass
class Lab:
    """A group with a project, a dataset and a tag of somebody.

    :param users: clients by role
    """

    group_id: int
    name: str
    users: dict[str, Api]
    data: dict[str, str]


def promote(server: LiveServer, user: str, *, without: str = "") -> None:
    """Make an administrator, perhaps without a privilege."""
    [(user_id,)] = server.sql("SELECT id FROM experimenter WHERE omename = %s", user)
    server.sql(
        "INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)"
        " VALUES (ome_nextval('seq_groupexperimentermap'), -52, 0, 0, %s, 9, false)",
        user_id,
    )
    if without:
        server.sql("INSERT INTO experimenter_config VALUES (%s, %s, 'false', 0)", user_id, f"AdminPrivilege:{without}")


def made(api: Api, kind: str, **fields: Any) -> str:
    """A new object, or the code of the failure."""
    answer = api.call("POST", f"/objects/{kind}", {"fields": fields})
    return f"{kind}:{answer.document['id']}" if answer.status == 201 else answer.code


def path(reference: str) -> str:
    """Where an object is."""
    return f"/objects/{reference.replace(':', '/')}"


def lab(server: LiveServer, level: str) -> Lab:
    """A group of a level with users of all kinds."""
    somebody = server.add_user(permissions=LEVELS[level])
    group = f"group-of-{somebody}"
    [(group_id,)] = server.sql("SELECT id FROM experimentergroup WHERE name = %s", group)
    names = {
        "somebody": somebody,
        "owner": server.add_user(group=group),
        "member": server.add_user(group=group),
        "stranger": server.add_user(),
        "administrator": server.add_user(),
        "restricted": server.add_user(),
    }
    server.sql(
        "UPDATE groupexperimentermap m SET owner = true FROM experimenter e"
        " WHERE e.id = m.child AND m.parent = %s AND e.omename = %s",
        group_id,
        names["owner"],
    )
    promote(server, names["administrator"])
    promote(server, names["restricted"], without="WriteOwned")
    users = {role: server.local().login(name, PASSWORD) for role, name in names.items()}
    data = {
        "Project": made(users["somebody"], "Project", name="p"),
        "Dataset": made(users["somebody"], "Dataset", name="d"),
        "TagAnnotation": made(users["somebody"], "TagAnnotation", textValue="t"),
    }
    return Lab(group_id, group, users, data)


@pytest.fixture(scope="module", params=LEVELS)
def group(request: pytest.FixtureRequest, live_server: LiveServer) -> tuple[str, Lab]:
    """A group of each level."""
    return request.param, lab(live_server, request.param)


def allowed(role: str, action: str, level: str) -> bool:
    """What the tables say."""
    return CELLS[role][action][list(LEVELS).index(level)] == "Y"


@pytest.mark.parametrize("role", CELLS)
def test_view(group: tuple[str, Lab], role: str) -> None:
    level, here = group
    api, project = here.users[role], here.data["Project"]
    expected = allowed(role, "view", level)
    answer = api.call("GET", path(project))
    assert answer.status == (200 if expected else 404)
    if not expected:
        assert answer.code == "not-found"
    listed = api.call("GET", f"/objects/Project?group={here.group_id}").document["objects"]
    assert (project in [f"Project:{one['id']}" for one in listed]) is expected
    lists = api.call("GET", f"{path(project)}/lists/datasetLinks")
    assert lists.status == (200 if expected else 404)


@pytest.mark.parametrize("role", CELLS)
def test_edit(group: tuple[str, Lab], role: str) -> None:
    level, here = group
    api, dataset = here.users[role], here.data["Dataset"]
    answer = api.call("PATCH", path(dataset), {"fields": {"description": role}})
    if allowed(role, "edit", level):
        assert answer.status == 200, answer
        assert answer.document["details"]["owner"] != role
    else:
        assert answer.code == ("permission-denied" if allowed(role, "view", level) else "not-found")
        now = here.users["somebody"].call("GET", path(dataset)).document
        assert now["fields"]["description"] != role


@pytest.mark.parametrize("role", CELLS)
def test_annotate(group: tuple[str, Lab], role: str) -> None:
    level, here = group
    api = here.users[role]
    # Somebody's own tag on their own dataset: what matters is whose link it becomes.
    link = made(api, "DatasetAnnotationLink", parent=here.data["Dataset"], child=here.data["TagAnnotation"])
    if allowed(role, "annotate", level):
        assert link.startswith("DatasetAnnotationLink:")
        details = api.call("GET", path(link)).document["details"]
        assert details["group_id"] == here.group_id
        assert details["owner_id"] == api.call("GET", "/sessions/current").document["user_id"]
    else:
        assert link == ("permission-denied" if allowed(role, "view", level) else "not-found")


@pytest.mark.parametrize("role", CELLS)
def test_link(group: tuple[str, Lab], role: str) -> None:
    level, here = group
    link = made(here.users[role], "ProjectDatasetLink", parent=here.data["Project"], child=here.data["Dataset"])
    if allowed(role, "link", level):
        assert link.startswith("ProjectDatasetLink:")
    else:
        assert link == ("permission-denied" if allowed(role, "view", level) else "not-found")


def test_data_of_two_groups_is_not_linked(live_server: LiveServer) -> None:
    one, other = lab(live_server, "read-write"), lab(live_server, "read-write")
    admin = live_server.local().login()
    answer = admin.call(
        "POST",
        "/objects/ProjectDatasetLink",
        {"fields": {"parent": one.data["Project"], "child": other.data["Dataset"]}},
    )
    assert (answer.status, answer.code) == (409, "group-mismatch")
    assert live_server.sql("SELECT 1 FROM projectdatasetlink WHERE parent = %s", int(one.data["Project"][8:])) == []


def test_new_data_goes_to_a_group_of_ones_own(live_server: LiveServer) -> None:
    here = lab(live_server, "read-write")
    body = {"fields": {"name": "x"}, "group": here.group_id}
    assert here.users["stranger"].call("POST", "/objects/Dataset", body).code == "permission-denied"
    assert here.users["restricted"].call("POST", "/objects/Dataset", body).code == "permission-denied"
    for role in ("member", "administrator"):
        made = here.users[role].call("POST", "/objects/Dataset", body).document
        assert made["details"]["group_id"] == here.group_id
    everybody = {"fields": {"name": "x"}, "group": 1}
    assert here.users["member"].call("POST", "/objects/Dataset", everybody).code == "permission-denied"


def test_a_group_that_becomes_private_hides_its_data_at_once(live_server: LiveServer) -> None:
    here = lab(live_server, "read-write")
    member, project = here.users["member"], here.data["Project"]
    assert member.call("GET", path(project)).status == 200
    live_server.sql("UPDATE experimentergroup SET permissions = -120 WHERE id = %s", here.group_id)
    assert member.call("GET", path(project)).code == "not-found"
    assert member.call("PATCH", path(project), {"fields": {"name": "x"}}).code == "not-found"
    # So do links to what somebody else had linked before.
    assert member.call("GET", "/objects/Project").document["objects"] == []


def own(server: LiveServer, api: Api) -> str:
    """Where the client's own user is."""
    return f"/objects/Experimenter/{api.call('GET', '/sessions/current').document['user_id']}"


def test_oneself(live_server: LiveServer) -> None:
    here = lab(live_server, "private")
    member, somebody = here.users["member"], own(live_server, here.users["somebody"])
    me = own(live_server, member)
    changed = member.call("PATCH", me, {"fields": {"firstName": "Ada", "email": "ada@example.org"}}).document
    assert (changed["fields"]["firstName"], changed["details"]) == ("Ada", None)
    for fields in ({"omeName": "root2"}, {"ldap": True}, {"firstName": "x", "omeName": "y"}):
        assert member.call("PATCH", me, {"fields": fields}).code == "permission-denied"
    assert member.call("PATCH", somebody, {"fields": {"firstName": "x"}}).code == "permission-denied"
    assert here.users["owner"].call("PATCH", somebody, {"fields": {"firstName": "x"}}).code == "permission-denied"
    assert here.users["administrator"].call("PATCH", somebody, {"fields": {"firstName": "x"}}).status == 200
    [(version,)] = live_server.sql("SELECT version FROM experimenter WHERE id = %s", int(me.rpartition("/")[2]))
    assert version == 1


def test_groups(live_server: LiveServer) -> None:
    here = lab(live_server, "private")
    where = f"/objects/ExperimenterGroup/{here.group_id}"
    body = {"fields": {"description": "the lab"}}
    assert here.users["member"].call("PATCH", where, body).code == "permission-denied"
    changed = here.users["owner"].call("PATCH", where, body).document
    assert changed["fields"] == {"name": here.name, "description": "the lab", "ldap": False, "permissions": "rw----"}
    assert here.users["owner"].call("PATCH", where, {"fields": {"ldap": True}}).code == "permission-denied"
    admin = here.users["administrator"]
    assert admin.call("PATCH", "/objects/ExperimenterGroup/0", {"fields": {"name": "x"}}).code == "role-protected"
    assert admin.call("PATCH", "/objects/Experimenter/0", {"fields": {"omeName": "x"}}).code == "role-protected"
    assert admin.call("PATCH", where, {"fields": {"name": "a\nb"}}).code == "request-invalid"
    assert admin.call("PATCH", where, {"fields": {"name": "system"}}).code == "name-taken"
    assert admin.call("PATCH", "/objects/Node/0", {"fields": {}}).code == "permission-denied"


def test_configuration_of_users(live_server: LiveServer) -> None:
    here = lab(live_server, "private")
    member, admin, restricted = (here.users[role] for role in ("member", "administrator", "restricted"))
    theirs = f"{own(live_server, member)}/maps/config"
    assert member.call("PATCH", theirs, {"key": "a", "value": "b"}).code == "permission-denied"
    assert admin.call("PATCH", theirs, {"key": "a", "value": "b"}).document["pairs"] == [["a", "b"]]
    assert member.call("GET", theirs).document["pairs"] == [["a", "b"]]
    assert here.users["owner"].call("GET", theirs).code == "permission-denied"
    assert here.users["owner"].call("GET", own(live_server, member)).document["maps"] == {}
    # Whoever lacks a privilege can't give it, least of all to themselves.
    mine = f"{own(live_server, restricted)}/maps/config"
    for wanted in ("true", None):
        denied = restricted.call("PATCH", mine, {"key": "AdminPrivilege:WriteOwned", "value": wanted})
        assert denied.code == "permission-denied"
    assert restricted.call("PUT", mine, {"pairs": []}).code == "permission-denied"
    # Nor do they change what those may who have more.
    more = f"{own(live_server, admin)}/maps/config"
    for key in ("AdminPrivilege:Chown", "a"):
        assert restricted.call("PATCH", more, {"key": key, "value": "false"}).code == "permission-denied"
    restriction = {"key": "AdminPrivilege:Chown", "value": "false"}
    assert admin.call("PATCH", "/objects/Experimenter/0/maps/config", restriction).code == "role-protected"
    assert restricted.call("PATCH", mine, restriction).status == 200
    assert admin.call("PUT", mine, {"pairs": []}).document["pairs"] == []
    edited = restricted.call("PATCH", path(here.data["Dataset"]), {"fields": {"name": "now"}})
    assert edited.status == 200
