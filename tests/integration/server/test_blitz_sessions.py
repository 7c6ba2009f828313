"""Logins and sessions of a running Blitz behind a running Glacier2."""

from __future__ import annotations

import concurrent.futures
import time

import pytest

from omeroadmin.system.clock import wait_until
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import PASSWORD, Api, LiveServer

DELAY = 0.25
"""Seconds by which this server delays logins after failures."""


def attempt(api: Api, user: str, password: str) -> tuple[int, str, float]:
    """Status, code and seconds of a login that fails."""
    began = time.monotonic()
    answer = api.call("POST", "/sessions", {"user": user, "password": password, "agent": "tests"})
    return answer.status, answer.code, time.monotonic() - began


def test_status_needs_no_session(live_server: LiveServer) -> None:
    document = live_server.plain().call("GET", "/status").document
    assert document["status"] == "up"
    assert document["server"] == "Blitz-0"
    assert document["read_only"] is False


def test_a_login_gives_a_session_that_dies_with_logout(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    session = api.call("GET", "/sessions/current").document
    assert session["key"] == api.key
    assert (session["user"], session["user_id"], session["group"], session["is_admin"]) == ("root", 0, "system", True)
    assert (session["time_to_idle_ms"], session["time_to_live_ms"]) == (600000, 86400000)
    assert abs(session["started"] / 1000 - time.time()) < 60
    assert (
        session["database_uuid"]
        == live_server.sql("SELECT value FROM configuration WHERE name = 'omero.db.uuid'")[0][0]
    )
    assert api.call("POST", "/sessions/current/keepalive").status == 204
    assert api.call("DELETE", "/sessions/current").status == 204
    after = api.call("GET", "/sessions/current")
    assert (after.status, after.code) == (401, "session-expired")
    assert live_server.sql("SELECT closed IS NULL FROM session WHERE uuid = %s", api.key) == [(False,)]


@pytest.mark.parametrize("key", ["", "00000000-0000-0000-0000-000000000000", "%00", "x" * 5000])
def test_a_wrong_key_opens_nothing(live_server: LiveServer, key: str) -> None:
    api = live_server.tls()
    api.key = key
    answer = api.call("GET", "/images")
    assert (answer.status, answer.code) == (401, "session-expired")


def test_the_session_of_nobody_is_no_session(live_server: LiveServer) -> None:
    api = live_server.tls()
    api.key = str(live_server.sql("SELECT uuid FROM session WHERE id = 0")[0][0])
    assert api.call("GET", "/sessions/current").status == 401


def test_wrong_unknown_and_inactive_users_get_the_same_answer(live_server: LiveServer) -> None:
    api = live_server.tls()
    inactive = live_server.add_user(active=False)
    unlucky = live_server.add_user()
    results = [
        attempt(api, unlucky, "wrong"),
        attempt(api, "nobody-of-this-name", "wrong"),
        attempt(api, inactive, PASSWORD),
        attempt(api, "guest", ""),
        attempt(api, "x" * 10000, "wrong"),
    ]
    assert {result[:2] for result in results} == {(401, "authentication-failed")}
    assert attempt(api, "nul\0character", "wrong")[:2] == (400, "request-invalid")


def test_unknown_users_take_as_long_as_known_ones(live_server: LiveServer) -> None:
    api = live_server.tls()
    known = [live_server.add_user() for _ in range(5)]
    known_times = sorted(attempt(api, user, "wrong")[2] for user in known)
    unknown_times = sorted(attempt(api, f"{user}-not", "wrong")[2] for user in known)
    # Medians; a login without a look at a hash would be more than ten times as fast.
    assert 0.4 < known_times[2] / unknown_times[2] < 2.5, (known_times, unknown_times)


def test_failures_delay_the_next_login_of_the_user_only(live_server: LiveServer) -> None:
    user, other = live_server.add_user(), live_server.add_user()
    api = live_server.tls()
    attempt(api, user, "wrong")
    delayed = attempt(api, user, "wrong")[2]
    assert delayed >= DELAY
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(attempt, live_server.tls(), user, "wrong")
        began = time.monotonic()
        live_server.tls().login(other, PASSWORD)
        assert time.monotonic() - began < slow.result()[2] + 0.2
    afterwards = []
    for _ in range(3):
        api.login(user, PASSWORD)
        afterwards.append(attempt(live_server.tls(), user, "wrong")[2])
    assert min(afterwards) < delayed, "a login that succeeds makes up for the failures before"


def test_too_many_waiting_logins_are_refused(live_server: LiveServer) -> None:
    user = live_server.add_user()
    attempt(live_server.tls(), user, "wrong")
    clients = [live_server.tls() for _ in range(14)]
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        codes = [result[1] for result in pool.map(lambda api: attempt(api, user, "wrong"), clients)]
    assert set(codes) == {"authentication-failed", "login-throttled"}


def test_a_legacy_hash_is_replaced_at_login(live_server: LiveServer) -> None:
    user = live_server.add_user()

    def stored() -> str:
        rows = live_server.sql(
            "SELECT hash FROM password p JOIN experimenter e ON e.id = p.experimenter_id WHERE e.omename = %s", user
        )
        return str(rows[0][0])

    assert not stored().startswith("$scrypt$")
    live_server.tls().login(user, PASSWORD)
    assert stored().startswith("$scrypt$")
    live_server.tls().login(user, PASSWORD)
    assert attempt(live_server.tls(), user, "wrong")[:2] == (401, "authentication-failed")


def test_the_plain_port_takes_keys_but_no_passwords(live_server: LiveServer) -> None:
    plain = live_server.plain()
    assert attempt(plain, "root", ROOT_PASSWORD)[:2] == (403, "password-needs-tls")
    forged = {"X-OMERO-Transport": "ssl"}
    body = {"user": "root", "password": ROOT_PASSWORD}
    assert plain.call("POST", "/sessions", body, headers=forged).status == 403
    plain.key = live_server.tls().login().key
    assert plain.call("GET", "/sessions/current").status == 200


def test_who_is_listed_to_whom(live_server: LiveServer) -> None:
    user = live_server.add_user()
    mine = live_server.tls().login(user, PASSWORD)
    own = mine.call("GET", "/sessions").document["sessions"]
    assert [session["user"] for session in own] == [user]
    assert own[0]["agent"] == "tests"
    assert own[0]["ip"] == "127.0.0.1"
    everybody = live_server.tls().login().call("GET", "/sessions")
    assert {user, "root"} <= {session["user"] for session in everybody.document["sessions"]}
    assert mine.key.encode() not in everybody.content


def test_an_address_cannot_be_forged(live_server: LiveServer) -> None:
    user = live_server.add_user()
    api = live_server.tls()
    body = {"user": user, "password": PASSWORD}
    answer = api.call("POST", "/sessions", body, headers={"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3"})
    api.key = answer.document["key"]
    assert api.call("GET", "/sessions").document["sessions"][0]["ip"] == "127.0.0.1"


def test_servers_open_sessions_without_a_password(live_server: LiveServer) -> None:
    user = live_server.add_user()
    internal = live_server.local(internal=True)
    answer = internal.call("POST", "/internal/sessions", {"user": user, "agent": "DropBox"})
    assert answer.status == 201
    assert answer.document["user"] == user
    assert internal.call("POST", "/internal/sessions", {"user": "nobody-of-this-name", "agent": ""}).status == 404
    for outside in (live_server.local(), live_server.tls()):
        assert outside.call("POST", "/internal/sessions", {"user": "root", "agent": ""}).status == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "request-invalid"),
        (b"[" * 100_000, 400, "request-invalid"),
        (["root"], 400, "request-invalid"),
        ({"user": "root"}, 400, "request-invalid"),
        ({"user": 0, "password": "x"}, 400, "request-invalid"),
        (b"x" * (65 * 2**20), 413, "body-too-large"),
    ],
    ids=["cut off", "nested", "list", "no password", "number", "large"],
)
def test_a_bad_body_is_one_clear_answer(live_server: LiveServer, body: object, status: int, code: str) -> None:
    answer = live_server.tls().call("POST", "/sessions", body)
    assert (answer.status, answer.code) == (status, code)


def test_unknown_paths_and_methods(live_server: LiveServer) -> None:
    api = live_server.tls()
    assert api.call("GET", "/nothing").code == "not-found"
    assert api.call("PUT", "/images").code == "not-allowed"


def test_idle_sessions_end(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    live_server.sql("UPDATE session SET timetoidle = 1 WHERE uuid = %s", api.key)
    assert wait_until(lambda: api.call("GET", "/sessions/current").status == 401, timeout=10)
    other = live_server.tls().login()
    live_server.sql("UPDATE session SET timetolive = 1 WHERE uuid = %s", other.key)
    assert wait_until(lambda: other.call("GET", "/sessions/current").status == 401, timeout=10)


def test_a_user_who_becomes_inactive_is_out(live_server: LiveServer) -> None:
    user = live_server.add_user()
    api = live_server.tls().login(user, PASSWORD)
    live_server.sql(
        "DELETE FROM groupexperimentermap m USING experimenter e WHERE e.id = m.child AND m.parent = 1"
        " AND e.omename = %s",
        user,
    )
    assert api.call("GET", "/sessions/current").status == 401


def test_no_key_or_password_is_logged(live_server: LiveServer) -> None:
    api = live_server.tls().login()
    api.call("GET", "/nothing")
    for log in live_server.runtime.instance.log_directory.iterdir():
        text = log.read_text()
        assert api.key not in text
        assert ROOT_PASSWORD not in text
        assert PASSWORD not in text
