"""Roles, databases, rules and settings of a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.agents import Worker
from tests.support.bare_postgres import BarePostgres, bare_postgres

PASSWORD = "it's \\ a \"$1 :x päss"


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BarePostgres]:
    """One server for all tests of this module."""
    with bare_postgres(tmp_path_factory.mktemp("pg")) as made:
        yield made


def wish(postgres: BarePostgres, kind: str, **fields: Any) -> dict[str, Any]:
    return Worker.wish(kind, **postgres.fields, **fields)


def test_role_is_made_changed_and_dropped_again(local: Worker, postgres: BarePostgres) -> None:
    name = "o\"mero's"
    role = wish(postgres, "database-role", name=name, password=PASSWORD, member_of=["pg_monitor"])
    assert local.apply(role) == [f"create role {name}"]
    assert local.apply(role) == []
    made = local.run
    as_role = ("-h", "127.0.0.1", "-d", "postgres", "-U", name, "-c", "SELECT current_user")
    done = postgres.psql(*as_role, PGPASSWORD=PASSWORD)
    assert done.stdout == f"{name}\n", done.stderr
    changed = {**role, "password": "another", "createdb": True, "member_of": ["pg_monitor", "pg_read_all_data"]}
    assert local.apply(changed) == [
        f"change role {name}", f"change the password of role {name}", f"make role {name} a member of pg_read_all_data",
    ]  # fmt: skip
    assert postgres.psql(*as_role, PGPASSWORD="another").returncode == 0
    assert local.apply({**changed, "password": ""}) == []
    local.apply({**changed, "createdb": False})
    assert local.undo() == [f"gave role {name} its attributes back"]
    assert local.apply(changed) == []
    local.run = f"{made.removesuffix('2')}1"
    assert local.undo() == [f"dropped role {name}"]
    assert "another" not in (postgres.directory.parent / "log").read_text()


def test_password_that_the_server_was_told_by_others_is_recognised(local: Worker, postgres: BarePostgres) -> None:
    postgres.query("CREATE ROLE others LOGIN PASSWORD 'ﬁne \u00ad pässword'")
    role = wish(postgres, "database-role", name="others", password="ﬁne \u00ad pässword")
    assert local.apply(role) == []
    assert local.apply({**role, "password": "fine pässword"}) == ["change the password of role others"]


def test_facts_of_a_role_hold_no_verifier(local: Worker, postgres: BarePostgres) -> None:
    role = wish(postgres, "database-role", name="shown", password=PASSWORD)
    local.apply(role)
    assert "SCRAM" not in str(local.facts("database-role", **{**postgres.fields, "name": "shown", "password": "x"}))


def test_database_is_made_once_and_stays_when_it_is_filled(local: Worker, postgres: BarePostgres) -> None:
    role = wish(postgres, "database-role", name="owner")
    database = wish(postgres, "database", name="images", owner="owner", extensions=["plpgsql"])
    words = "create database images of owner with encoding UTF8"
    # plpgsql comes with template0: when the database is there, it isn't missing.
    assert local.apply(role, database)[:2] == ["create role owner", words]
    made = local.run
    assert local.apply(role, database) == []
    assert local.apply({**database, "owner": postgres.fields["account"]}) == ["change owner of database images"]
    local.undo()
    assert local.apply(database) == []
    assert local.failure({**database, "encoding": "LATIN1"})["code"] == "host-database-encoding"
    postgres.query("CREATE TABLE kept (id int)", "images")
    local.run = made
    assert "kept database images: it is not empty" in local.undo()
    assert postgres.query("SELECT count(*) FROM kept", "images") == "0"


def test_rules_come_first_and_wrong_ones_are_not_left(local: Worker, postgres: BarePostgres) -> None:
    path = postgres.directory / "pg_hba.conf"
    before = path.read_text()
    rules = wish(
        postgres,
        "database-hba",
        lines=["host all guest 127.0.0.1 trust", "host all guest ::1 trust", "host all guest h.example.org trust"],
    )
    guest = wish(postgres, "database-role", name="guest")
    assert local.apply(guest, rules) == ["create role guest", f"write rules of omero into {path}"]
    assert local.apply(guest, rules) == []
    assert path.read_text().splitlines()[1] == "host all guest 127.0.0.1/32 trust"
    assert path.read_text().splitlines()[2] == "host all guest ::1/128 trust"
    assert postgres.psql("-h", "127.0.0.1", "-d", "postgres", "-U", "guest", "-c", "SELECT 1").stdout == "1\n"
    error = local.failure({**rules, "lines": ["host all guest nowhere//32 trust-me"]})
    assert (error["code"], "line 2" in error["message"]) == ("host-hba-invalid", True)
    assert local.apply(rules) == []
    path.write_text("local all all peer\n" + path.read_text())
    assert local.apply(rules) == [f"write rules of omero into {path}"]
    assert local.apply({**rules, "lines": []}) == [f"write rules of omero into {path}"]
    assert path.read_text() == "local all all peer\n" + before


def test_a_rule_that_was_not_read_yet_is(local: Worker, postgres: BarePostgres) -> None:
    path = postgres.directory / "pg_hba.conf"
    rules = wish(postgres, "database-hba", lines=["host all late 127.0.0.1/32 trust"], block="late")
    local.apply(rules)
    path.write_text(path.read_text())
    assert local.apply(rules) == [f"have PostgreSQL read {path}"]
    assert local.apply(rules) == []


def test_settings_wait_for_a_restart_and_say_so(local: Worker, postgres: BarePostgres) -> None:
    settings = wish(
        postgres, "database-settings",
        set={"work_mem": "8MB", "max_connections": "50", "search_path": "a,b"}, remove=["geqo"],
    )  # fmt: skip
    assert local.apply(settings) == ["set max_connections, search_path, work_mem (after a restart: max_connections)"]
    made = local.run
    pending = ["PostgreSQL must be restarted for max_connections"]
    assert local.apply(settings) == pending
    assert local.apply(wish(postgres, "database-settings")) == pending
    postgres.control("restart", "-l", str(postgres.directory.parent / "log"))
    assert local.apply(settings) == []
    assert postgres.query("SHOW max_connections") == "50"
    local.run = made
    local.undo()
    assert postgres.query("SHOW work_mem") == "4MB"
    assert local.failure(wish(postgres, "database-settings", set={"worse_mem": "1"}))["code"] == "host-setting-unknown"
    error = local.failure(wish(postgres, "database-settings", set={"work_mem": "much"}))
    assert 'invalid value for parameter "work_mem"' in error["message"]


def test_what_is_not_there_yet_is_planned_and_fails_only_when_applied(local: Worker, postgres: BarePostgres) -> None:
    for kind, fields in (
        ("database-role", {"name": "x"}), ("database", {"name": "x", "owner": "x"}),
        ("database-hba", {"lines": ["local all all peer"]}), ("database-settings", {"set": {"work_mem": "8MB"}}),
    ):  # fmt: skip
        nowhere = {**postgres.fields, "port": 1, **fields}
        assert local.facts(kind, **nowhere)["server"] is False
        assert local.failure(Worker.wish(kind, **nowhere))["code"] in ("host-database-missing", "host-database-failed")
