"""Plans for the database: pure, from made-up facts."""

from dataclasses import replace
from pathlib import Path

import pytest

from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.plan import DatabaseFacts, DatabaseWish, plan_database, require_password_file
from omeroadmin.database.programs import Programs
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

CURRENT = SchemaVersion("OMERO5.4", 0)
SETTINGS = Settings({"omero.db.embedded": "true", "omero.db.pass": "hidden"})
ADDRESS = DatabaseAddress.from_settings(SETTINGS)
NOTHING = DatabaseFacts(ADDRESS, Programs(Path("/usr/lib/postgresql/15/bin"), (15, 18)), False, False, False, None)
READY = replace(NOTHING, cluster_exists=True, running=True, database_exists=True, schema=CURRENT)
WISH = DatabaseWish(Instance(Path("/opt/omero")), SETTINGS, Path("/opt/omero/etc/root_password"))


def verbs(facts: DatabaseFacts, wish: DatabaseWish = WISH) -> list[str]:
    """First words of the plan's lines."""
    return [line.split()[0] for line in plan_database(facts, wish).lines()]


def test_from_nothing() -> None:
    assert verbs(NOTHING) == ["initialise", "start", "create", "load", "stop"]
    assert verbs(NOTHING, replace(WISH, keep_running=True)) == ["initialise", "start", "create", "load"]


def test_an_empty_database_for_a_restore() -> None:
    assert verbs(NOTHING, replace(WISH, root_password_file=None)) == ["initialise", "start", "create", "stop"]


def test_only_what_misses() -> None:
    assert verbs(replace(NOTHING, cluster_exists=True)) == ["start", "create", "load", "stop"]
    assert verbs(replace(READY, schema=None)) == ["load"]
    assert verbs(replace(READY, schema=None, database_exists=False)) == ["create", "load"]


@pytest.mark.parametrize("facts", [READY, replace(READY, running=False), replace(READY, programs=None)])
def test_nothing_to_do(facts: DatabaseFacts) -> None:
    assert not plan_database(facts, WISH)


def test_an_external_database_gets_its_schema_only() -> None:
    assert verbs(replace(READY, programs=None, schema=None)) == ["load"]


def test_another_schema_is_an_error() -> None:
    with pytest.raises(AdminError) as caught:
        plan_database(replace(READY, schema=SchemaVersion("OMERO5.3", 1)), WISH)
    assert caught.value.message == (
        "DB version (OMERO5.3__1) does not match the configured value (OMERO5.4__0). Please apply a db upgrade."
    )


def test_no_secret_in_plans_and_addresses() -> None:
    plan = plan_database(NOTHING, WISH)
    assert "hidden" not in " ".join(plan.lines()) + repr(plan) + repr(ADDRESS) + str(ADDRESS)


def test_the_password_file_is_looked_at_first(tmp_path: Path) -> None:
    path = tmp_path / "password"
    with pytest.raises(AdminError) as caught:
        require_password_file(path)
    assert caught.value.code == "password-needed"
    path.write_text("\nsecond line\n")
    with pytest.raises(AdminError) as caught:
        require_password_file(path)
    assert caught.value.code == "password-empty"
    path.write_text("first\nsecond line\n")
    require_password_file(path)
