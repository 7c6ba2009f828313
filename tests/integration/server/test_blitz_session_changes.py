"""Group and timeouts of sessions, and sessions in the name of others, on a running server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import PASSWORD, Answer, Api, LiveServer
from tests.support.roles import administrator, join, lead

pytestmark = pytest.mark.usefixtures("live_server")


def group_of(user: str) -> str:
    """The group that a user was made with."""
    return f"group-of-{user}"


def number(server: LiveServer, api: Api) -> int:
    """Number of a session."""
    return int(server.sql("SELECT id FROM session WHERE uuid = %s", api.key)[0][0])


def login(server: LiveServer, user: str, password: str = PASSWORD, **more: Any) -> Answer:
    """Log in, with more wishes than the user's name."""
    return server.tls().call("POST", "/sessions", {"user": user, "password": password, **more})


def joined(server: LiveServer, answer: Answer) -> Api:
    """A client of a session that was opened."""
    assert answer.status == 201, answer
    api = server.tls()
    api.key = answer.document["key"]
    return api


def test_a_session_begins_in_the_group_that_is_named(live_server: LiveServer) -> None:
    user, other = live_server.add_user(), live_server.add_user()
    join(live_server, user, group_of(other))
    assert login(live_server, user).document["group"] == group_of(user)
    named = login(live_server, user, group=group_of(other))
    assert named.document["group"] == group_of(other)
    by_id = login(live_server, user, group=str(named.document["group_id"]))
    assert by_id.document["group"] == group_of(other)
    assert joined(live_server, named).call("GET", "/sessions/current").document["group"] == group_of(other)


def test_a_group_of_others_and_one_that_is_not_there_get_the_same_answer(live_server: LiveServer) -> None:
    user, other = live_server.add_user(), live_server.add_user()
    before = live_server.sql("SELECT count(*) FROM session")
    answers = [login(live_server, user, group=name) for name in (group_of(other), "no such group", "999999")]
    assert {(answer.status, answer.code) for answer in answers} == {(403, "permission-denied")}
    assert {answer.document["error"]["message"].partition(" a group")[0] for answer in answers} == {f"{user} is not in"}
    assert live_server.sql("SELECT count(*) FROM session") == before, "no session was made"


def test_the_group_can_be_switched_and_stays(live_server: LiveServer) -> None:
    user, other = live_server.add_user(), live_server.add_user()
    join(live_server, user, group_of(other))
    api = live_server.tls().login(user, PASSWORD)
    changed = api.call("PATCH", "/sessions/current", {"group": group_of(other)})
    assert (changed.status, changed.document["group"]) == (200, group_of(other))
    again = live_server.tls()
    again.key = api.key
    assert again.call("GET", "/sessions/current").document["group"] == group_of(other)
    assert api.call("GET", "/sessions").document["sessions"][0]["group"] == group_of(other)
    assert api.call("PATCH", "/sessions/current", {"group": "system"}).code == "permission-denied"
    live_server.sql(
        "DELETE FROM groupexperimentermap m USING experimenter e, experimentergroup g WHERE e.id = m.child"
        " AND g.id = m.parent AND e.omename = %s AND g.name = %s", user, group_of(other),
    )  # fmt: skip
    assert api.call("GET", "/sessions/current").document["group"] == group_of(user), "who has left it is back"


def test_administrators_work_in_any_group(live_server: LiveServer) -> None:
    user = live_server.add_user()
    api = live_server.tls().login()
    assert api.call("PATCH", "/sessions/current", {"group": group_of(user)}).document["group"] == group_of(user)
    assert api.call("PATCH", "/sessions/current", {"group": "no such group"}).code == "permission-denied"


def test_a_single_request_may_name_its_group(live_server: LiveServer) -> None:
    user, other = live_server.add_user(), live_server.add_user()
    join(live_server, user, group_of(other))
    api = live_server.tls().login(user, PASSWORD)

    def group(name: str) -> Answer:
        return api.call("GET", "/sessions/current", headers={"OMERO-Group": name})

    assert group(group_of(other).replace("-", "%2D")).document["group"] == group_of(other)
    assert api.call("GET", "/sessions/current").document["group"] == group_of(user)
    assert group("system").code == "permission-denied"


def test_users_ask_for_timeouts_within_limits(live_server: LiveServer) -> None:
    user = live_server.add_user()
    assert login(live_server, user, time_to_idle_ms=30_000).document["time_to_idle_ms"] == 30_000
    api = joined(live_server, login(live_server, user, time_to_idle_ms=6_000_000))
    for wanted in (6_000_001, 0):
        assert login(live_server, user, time_to_idle_ms=wanted).code == "request-invalid"
        refused = api.call("PATCH", "/sessions/current", {"time_to_idle_ms": wanted})
        assert "for at most 6000 seconds" in refused.document["error"]["message"]
    assert 'not 9999999"' in str(login(live_server, user, time_to_idle_ms=9_999_999_000).content)
    assert api.call("PATCH", "/sessions/current", {"time_to_idle_ms": 1}).status == 200
    assert live_server.sql("SELECT timetoidle FROM session WHERE uuid = %s", api.key) == [(1,)]
    free = joined(live_server, login(live_server, "root", ROOT_PASSWORD, time_to_idle_ms=0))
    assert free.call("GET", "/sessions/current").document["time_to_idle_ms"] == 0


def test_administrators_become_others(live_server: LiveServer) -> None:
    user = live_server.add_user()
    answer = login(live_server, user, ROOT_PASSWORD, sudo="root")
    session = joined(live_server, answer).call("GET", "/sessions/current").document
    assert (session["user"], session["sudoer"], session["is_admin"]) == (user, "root", False)
    assert live_server.sql("SELECT sudoer FROM session WHERE uuid = %s", session["key"]) == [(0,)]
    listed = live_server.tls().login().call("GET", "/sessions").document["sessions"]
    assert [one["sudoer"] for one in listed if one["user"] == user] == ["root"]
    assert login(live_server, user, "wrong", sudo="root").code == "authentication-failed"
    assert login(live_server, user, PASSWORD, sudo="root").code == "authentication-failed", "it isn't the user's own"
    joined(live_server, login(live_server, "root", ROOT_PASSWORD)).call("DELETE", "/sessions/current")
    assert login(live_server, "nobody-of-this-name", ROOT_PASSWORD, sudo="root").code == "not-found"


def test_a_password_for_sudo_needs_tls(live_server: LiveServer) -> None:
    body = {"user": live_server.add_user(), "password": ROOT_PASSWORD, "sudo": "root"}
    assert live_server.plain().call("POST", "/sessions", body).code == "password-needs-tls"


def test_a_restricted_administrator_needs_the_privilege(live_server: LiveServer) -> None:
    user = live_server.add_user()
    without, with_it = administrator(live_server, "Sudo"), administrator(live_server, "Chown")
    refused = login(live_server, user, sudo=without)
    assert refused.code == "permission-denied"
    assert "lacks the privilege Sudo" in refused.document["error"]["message"]
    api = joined(live_server, login(live_server, user, sudo=with_it))
    assert api.call("GET", "/sessions/current").status == 200
    live_server.sql(
        "INSERT INTO experimenter_config (experimenter_id, name, value, index) SELECT id, 'AdminPrivilege:Sudo',"
        " 'false', 1 FROM experimenter WHERE omename = %s", with_it,
    )  # fmt: skip
    assert api.call("GET", "/sessions/current").code == "session-expired", "who loses the privilege loses the session"


def test_a_restricted_administrator_gains_nothing_from_becoming_root(live_server: LiveServer) -> None:
    restricted = administrator(live_server, "ReadSession")
    api = joined(live_server, login(live_server, "root", PASSWORD, sudo=restricted))
    victim = live_server.tls().login(live_server.add_user(), PASSWORD)
    assert api.call("DELETE", f"/sessions/{number(live_server, victim)}").code == "not-found"
    assert victim.call("GET", "/sessions/current").status == 200


def test_owners_of_groups_become_their_members_in_these_groups_only(live_server: LiveServer) -> None:
    owner, member, stranger = (live_server.add_user() for _ in range(3))
    join(live_server, member, group_of(owner))
    lead(live_server, owner, group_of(owner))
    answer = login(live_server, member, sudo=owner)
    assert (answer.document["group"], answer.document["sudoer"]) == (group_of(owner), owner)
    api = joined(live_server, answer)
    assert api.call("PATCH", "/sessions/current", {"group": group_of(member)}).code == "permission-denied"
    assert login(live_server, member, sudo=owner, group=group_of(member)).code == "permission-denied"
    assert login(live_server, stranger, sudo=owner).code == "permission-denied"
    assert login(live_server, owner, sudo=member).code == "permission-denied", "members don't become owners"
    lead(live_server, owner, group_of(owner), leads=False)
    assert api.call("GET", "/sessions/current").code == "session-expired", "who is no owner any more is out"


def test_owners_of_groups_do_not_become_administrators(live_server: LiveServer) -> None:
    owner, admin = live_server.add_user(), administrator(live_server)
    join(live_server, admin, group_of(owner))
    lead(live_server, owner, group_of(owner))
    assert login(live_server, admin, sudo=owner).code == "permission-denied"


def test_owning_the_group_of_all_users_makes_nobody_an_owner_of_them(live_server: LiveServer) -> None:
    owner, user = live_server.add_user(), live_server.add_user()
    lead(live_server, owner, "user")
    assert login(live_server, user, sudo=owner).code == "permission-denied"


def test_a_session_in_the_name_of_another_sees_what_the_owner_may_see(
    live_server: LiveServer, sample_images: Path
) -> None:
    content = next(sample_images.glob("*.png")).read_bytes()
    owner, member = live_server.add_user(), live_server.add_user()
    join(live_server, member, group_of(owner))
    lead(live_server, owner, group_of(owner))
    private = (
        live_server.tls().login(member, PASSWORD).import_files(("secret.png", content)).document["images"][0]["id"]
    )
    api = joined(live_server, login(live_server, member, sudo=owner))
    assert api.call("GET", f"/images/{private}").code == "not-found"
    shared = api.import_files(("shared.png", content)).document["images"][0]["id"]
    assert live_server.tls().login(owner, PASSWORD).call("GET", f"/images/{shared}").status == 200


def test_an_owner_of_a_group_leaves_the_account_of_a_member_alone(live_server: LiveServer) -> None:
    owner, member = live_server.add_user(), live_server.add_user()
    join(live_server, member, group_of(owner))
    lead(live_server, owner, group_of(owner))
    themselves = live_server.tls().login(member, PASSWORD)
    session = joined(live_server, login(live_server, member, sudo=owner))
    account = session.call("GET", "/sessions/current").document
    for method, path, body in (
        ("PATCH", f"/users/{account['user_id']}", {"email": "owner@example.org"}),
        ("PATCH", f"/objects/Experimenter/{account['user_id']}", {"fields": {"email": "owner@example.org"}}),
        ("PUT", f"/users/{account['user_id']}/default-group", {"group_id": account["group_id"]}),
        ("PUT", f"/users/{account['user_id']}/password", {"password": "new", "current_password": PASSWORD}),
    ):
        refused = session.call(method, path, body)
        assert (refused.status, refused.code) == (403, "permission-denied"), (path, refused)
        assert f"{owner} owns a group of {member}, not the account" in refused.document["error"]["message"]
    mine = number(live_server, themselves)
    assert session.call("DELETE", f"/sessions/{mine}").code == "not-found"
    listed = session.call("GET", "/sessions").document["sessions"]
    assert [one["id"] for one in listed] == [number(live_server, session)]
    assert themselves.call("PATCH", f"/users/{account['user_id']}", {"email": "me@example.org"}).status == 200
    assert session.call("DELETE", f"/sessions/{number(live_server, session)}").status == 204


def test_sessions_are_opened_for_others(live_server: LiveServer) -> None:
    user = live_server.add_user()
    root = live_server.tls().login()
    answer = root.call("POST", "/sessions/others", {"user": user, "time_to_live_ms": 60_000})
    assert answer.document["time_to_live_ms"] == 60_000
    api = joined(live_server, answer)
    user_id = answer.document["user_id"]
    assert root.call("POST", "/sessions/others", {"user_id": user_id}).document["user"] == user
    assert root.call("POST", "/sessions/others", {"user_id": 10**9}).code == "not-found"
    assert root.call("POST", "/sessions/others", {}).code == "request-invalid"
    assert root.call("POST", "/sessions/others", {"user": user, "time_to_live_ms": 10**9}).code == "request-invalid"
    other = live_server.add_user()
    assert api.call("POST", "/sessions/others", {"user": other}).code == "permission-denied"
    own = live_server.tls().login(user, PASSWORD)
    assert own.call("POST", "/sessions/others", {"user": other}).code == "permission-denied"
    as_admin = joined(live_server, login(live_server, administrator(live_server), ROOT_PASSWORD, sudo="root"))
    chain = as_admin.call("POST", "/sessions/others", {"user": other})
    assert "opens no further ones" in chain.document["error"]["message"]


def test_sessions_are_closed_by_number(live_server: LiveServer) -> None:
    user, other = live_server.add_user(), live_server.add_user()
    first, second = live_server.tls().login(user, PASSWORD), live_server.tls().login(user, PASSWORD)
    stranger = live_server.tls().login(other, PASSWORD)
    assert stranger.call("DELETE", f"/sessions/{number(live_server, first)}").code == "not-found"
    assert second.call("DELETE", f"/sessions/{number(live_server, first)}").status == 204
    assert first.call("GET", "/sessions/current").code == "session-expired"
    assert second.call("DELETE", f"/sessions/{number(live_server, first)}").code == "not-found"
    root = live_server.tls().login()
    assert root.call("DELETE", f"/sessions/{number(live_server, second)}").status == 204
    assert second.call("GET", "/sessions/current").code == "session-expired"
    assert root.call("DELETE", "/sessions/0").code == "not-found", "the session of the server itself"
