"""A server that doesn't require passwords, and one name in any case: what omero.security.* loosens, and what not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.liveserver import Api, LiveServer, live, start_all
from tests.support.people import PASSWORD, People


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    with live(tmp_path_factory.mktemp("loose")) as server:
        start_all(
            server,
            omero__security__password_required="false",
            omero__security__ignore_case="true",
            omero__security__login_failure_throttle_time="0",
        )
        yield People(server)


def login(server: LiveServer, user: str, password: str) -> int:
    api: Api = server.tls()
    return api.call("POST", "/sessions", {"user": user, "password": password, "agent": "tests"}).status


def test_a_user_without_a_password_gives_any(people: People) -> None:
    wish = people.wish(password=None)
    assert people.root.call("POST", "/users", wish).status == 201
    assert login(people.server, wish["name"], "") == 201
    assert login(people.server, wish["name"], "anything") == 201
    with_one = people.user()
    assert login(people.server, with_one.name, "anything") == 401


def test_administrators_always_need_one(people: People) -> None:
    assert people.root.call("POST", "/users", people.wish(admin=True, password=None)).code == "password-empty"
    wish = people.wish(password=None)
    number = people.root.call("POST", "/users", wish).document["id"]
    people.root.call("POST", "/groups/0/members", {"users": [number]})
    assert login(people.server, wish["name"], "") == 401
    assert login(people.server, "guest", "") == 401


def test_names_are_one_in_any_case(people: People) -> None:
    wish = people.wish()
    made = people.root.call("POST", "/users", {**wish, "name": wish["name"].upper()})
    assert made.document["name"] == wish["name"]
    assert people.root.call("POST", "/users", wish).code == "user-exists"
    assert login(people.server, wish["name"].title(), PASSWORD) == 201
