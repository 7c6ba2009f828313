"""``omero db upgrade`` and ``omero db check`` with a real PostgreSQL, and scripts as a distribution has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omeroadmin.database import embedded
from omeroadmin.database.advisory import AdvisoryLock
from omeroadmin.database.connection import connect, schema_version
from omeroadmin.profiles.store import load_settings, update_profile
from tests.support.database import DatabaseUnderTest, running_database
from tests.support.omero import Omero
from tests.support.runtime import running

NEXT = "OMERO5.5"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[DatabaseUnderTest]:
    """An instance whose database has the current schema and runs."""
    with running_database(tmp_path) as database:
        update_profile(database.instance.config_xml, database.settings.explicit())
        yield DatabaseUnderTest(database.instance, load_settings(database.instance))


@pytest.fixture
def omero(made: DatabaseUnderTest, tmp_path: Path) -> Omero:
    assert made.instance.omerodir == tmp_path / "OMERO.server"
    return Omero(tmp_path)


def want(made: DatabaseUnderTest, patch: int, version: str = NEXT) -> None:
    update_profile(made.instance.config_xml, {"omero.db.version": version, "omero.db.patch": str(patch)})


def write_script(made: DatabaseUnderTest, source: str, target: str, body: str, *, precheck: str = "") -> Path:
    """A script as distributions have them: it asserts where it starts, and is one transaction."""
    directory = made.instance.omerodir / "sql" / "psql" / target
    directory.mkdir(parents=True, exist_ok=True)
    (from_version, _, from_patch), (to_version, _, to_patch) = source.rpartition("__"), target.rpartition("__")
    path = directory / f"{source}.sql"
    path.write_text(
        "BEGIN;\n"
        "CREATE OR REPLACE FUNCTION assert_version(v varchar, p integer) RETURNS void AS $$ BEGIN\n"
        "  IF NOT EXISTS (SELECT 1 FROM (SELECT * FROM dbpatch ORDER BY id DESC LIMIT 1) d"
        " WHERE d.currentversion = v AND d.currentpatch = p) THEN\n"
        "    RAISE EXCEPTION 'wrong OMERO database version for this upgrade script';\n"
        "  END IF; END; $$ LANGUAGE plpgsql;\n"
        f"SELECT assert_version('{from_version}', {from_patch});\n"
        "DROP FUNCTION assert_version(varchar, integer);\n"
        "INSERT INTO dbpatch (currentversion, currentpatch, previousversion, previouspatch, message)"
        f" VALUES ('{to_version}', {to_patch}, '{from_version}', {from_patch}, 'Updating.');\n"
        f"{body}\n"
        "UPDATE dbpatch SET message = 'Database updated.', finished = clock_timestamp()"
        f" WHERE currentversion = '{to_version}' AND currentpatch = {to_patch};\n"
        f"SELECT E'\\n\\n\\nYOU HAVE SUCCESSFULLY UPGRADED YOUR DATABASE TO VERSION {target}\\n\\n\\n' AS status;\n"
        "COMMIT;\n"
    )
    if precheck:
        (directory / f"{source}-precheck.sql").write_text(f"BEGIN;\n{precheck}\nROLLBACK;\n")
    return path


def version(made: DatabaseUnderTest) -> str:
    with connect(made.address) as connection:
        return str(schema_version(connection))


def sql(made: DatabaseUnderTest, statement: str) -> None:
    with connect(made.address, autocommit=True) as connection:
        connection.execute(statement.encode())


def findings(omero: Omero) -> tuple[int, dict[str, dict[str, str]]]:
    done = omero.run("db", "check", "--json")
    document = json.loads(done.stdout)
    assert document["schema"] == "omeroadmin/db/check/1"
    assert document["failed"] == (done.returncode == 1)
    return done.returncode, {finding["name"]: finding for finding in document["findings"]}


def test_a_chain_of_scripts_with_checks(omero: Omero, made: DatabaseUnderTest) -> None:
    write_script(made, "OMERO5.4__0", "OMERO5.5__0", "ALTER TABLE image ADD seen bigint;", precheck="SELECT 1;")
    write_script(made, "OMERO5.5__0", "OMERO5.5__1", "UPDATE image SET seen = 1; ALTER TABLE image DROP seen;")
    want(made, 1)
    plan = omero.ok("db", "upgrade", "--dry-run")
    assert [line.split(":")[0].split(". ")[-1] for line in plan.splitlines()[1:]] == [
        "upgrade the schema from OMERO5.4__0 to OMERO5.5__0",
        "upgrade the schema from OMERO5.5__0 to OMERO5.5__1",
    ]
    assert version(made) == "OMERO5.4__0"
    refused = omero.run("db", "upgrade")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    done = omero.run("db", "upgrade", "--yes")
    assert done.returncode == 0, done.stderr
    assert version(made) == "OMERO5.5__1"
    assert "nothing to do" in omero.ok("db", "upgrade", "--yes")
    assert findings(omero)[1]["version"]["status"] == "ok"


def test_a_stopped_cluster_is_started_and_stopped_again(omero: Omero, made: DatabaseUnderTest) -> None:
    write_script(made, "OMERO5.4__0", "OMERO5.5__0", "SELECT 1;")
    want(made, 0)
    embedded.stop(made.instance, made.settings)
    assert [line.split()[1] for line in omero.ok("db", "upgrade", "--dry-run").splitlines()[1:]] == [
        "start",
        "upgrade",
        "stop",
    ]
    omero.ok("db", "upgrade", "--yes")
    assert not embedded.status(made.instance).running
    assert "nothing to do" in omero.ok("db", "upgrade", "--dry-run")
    embedded.start(made.instance, made.settings)
    assert version(made) == "OMERO5.5__0"


def test_a_script_that_fails_leaves_nothing(omero: Omero, made: DatabaseUnderTest) -> None:
    write_script(made, "OMERO5.4__0", "OMERO5.5__0", "CREATE TABLE extra (id bigint);")
    write_script(made, "OMERO5.5__0", "OMERO5.5__1", "CREATE TABLE more (id bigint); ALTER TABLE nothing ADD x int;")
    want(made, 1)
    done = omero.run("db", "upgrade", "--yes")
    assert done.returncode == 5
    assert 'relation "nothing" does not exist' in done.stderr
    assert version(made) == "OMERO5.5__0"
    write_script(made, "OMERO5.5__0", "OMERO5.5__1", "CREATE TABLE more (id bigint);")
    omero.ok("db", "upgrade", "--yes")
    assert version(made) == "OMERO5.5__1"


def test_a_check_refuses(omero: Omero, made: DatabaseUnderTest) -> None:
    complaint = "DO $$ BEGIN RAISE EXCEPTION 'duplicate original file paths with IDs {1,2}'; END $$;"
    write_script(made, "OMERO5.4__0", "OMERO5.5__0", "SELECT 1;", precheck=complaint)
    want(made, 0)
    done = omero.run("db", "upgrade", "--yes")
    assert done.returncode == 5
    assert "duplicate original file paths with IDs {1,2}" in done.stderr
    assert version(made) == "OMERO5.4__0"


def test_no_scripts_lead_there(omero: Omero, made: DatabaseUnderTest) -> None:
    write_script(made, "OMERO5.5__0", "OMERO5.6__0", "SELECT 1;")
    want(made, 0, "OMERO5.6")
    done = omero.run("db", "upgrade", "--dry-run")
    assert done.returncode == 3
    assert "no scripts lead from OMERO5.4__0" in done.stderr
    assert "begins at OMERO5.5__0" in done.stderr


def test_a_script_that_is_none(omero: Omero, made: DatabaseUnderTest) -> None:
    path = write_script(made, "OMERO5.4__0", "OMERO5.5__0", "SELECT 1;")
    path.write_text("BEGIN;\nCREATE TABLE half (id bigint);\n")
    want(made, 0)
    done = omero.run("db", "upgrade", "--yes")
    assert done.returncode == 5
    assert "leaves its transaction open" in done.stderr
    with connect(made.address) as connection:
        assert connection.execute("SELECT to_regclass('half')").fetchone() == (None,)


def test_not_while_a_server_works_with_it(omero: Omero, made: DatabaseUnderTest) -> None:
    write_script(made, "OMERO5.4__0", "OMERO5.5__0", "SELECT 1;")
    with running(made.instance.omerodir, made.settings.explicit()) as runtime:
        runtime.start("Blitz", "Blitz-0", "-Xmx512m")
        want(made, 0)
        done = omero.run("db", "upgrade", "--yes")
        assert done.returncode == 6
        assert "Blitz-0 works with it" in done.stderr
    omero.ok("db", "upgrade", "--yes")


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        (AdvisoryLock.SCHEMA, "another upgrade or restore runs"),
        (AdvisoryLock.REMOVALS, "a backup runs, or files are being removed from the repository"),
    ],
)
def test_not_beside_others(omero: Omero, made: DatabaseUnderTest, lock: AdvisoryLock, words: str) -> None:
    """Each is refused with its own reason; what else servers lock has nothing to do with it."""
    want(made, 0)
    write_script(made, "OMERO5.4__0", f"{NEXT}__0", "")
    with connect(made.address, autocommit=True) as other:
        for unrelated in {*AdvisoryLock} - {AdvisoryLock.SCHEMA, AdvisoryLock.REMOVALS}:
            other.execute("SELECT pg_advisory_lock(%s)", (unrelated,))
        other.execute("SELECT pg_advisory_lock_shared(%s)", (lock,))
        done = omero.run("db", "upgrade", "--yes")
    assert done.returncode == 6
    assert words in done.stderr
    assert version(made) == "OMERO5.4__0"
    assert omero.run("db", "upgrade", "--yes").returncode == 0


def test_a_new_database_is_whole(omero: Omero) -> None:
    status, found = findings(omero)
    assert status == 0, found
    assert {finding["status"] for finding in found.values()} == {"ok"}
    assert set(found) == {
        "server", "encoding", "version", "loaded", "tables", "columns", "constraints", "first-rows", "sequences",
        "ownership", "uuid", "repository",
    }  # fmt: skip
    assert omero.ok("db", "check").startswith("Database omero on 127.0.0.1:")


@pytest.mark.parametrize(
    ("damage", "name", "evidence"),
    [
        ("DROP TABLE roi CASCADE", "tables", "missing: roi"),
        ("ALTER TABLE image DROP acquisitiondate", "columns", "missing: image.acquisitiondate"),
        ("ALTER TABLE image ALTER name DROP NOT NULL", "constraints", "NOT NULL image (name)"),
        ("ALTER TABLE experimenter DROP CONSTRAINT experimenter_omename_key", "constraints", "unique experimenter"),
        ("ALTER TABLE pixels DROP CONSTRAINT pixels_image_fkey", "constraints", "foreign key pixels (image, image)"),
        ("UPDATE password SET hash = NULL WHERE experimenter_id = 0", "first-rows", "a password of root"),
        ("SELECT setval('seq_experimentergroup', 1)", "sequences", "seq_experimentergroup at 1, ids to 2"),
        ("DROP SEQUENCE seq_image", "sequences", "missing: seq_image"),
        ("DELETE FROM configuration WHERE name = 'omero.db.uuid'", "uuid", "omero.db.uuid is ''"),
        ("DROP TABLE configuration CASCADE", "uuid", "missing: configuration"),
        ("UPDATE dbpatch SET message = 'Updating.'", "loaded", "Updating."),
        ("UPDATE dbpatch SET currentpatch = 7, previouspatch = 7", "version", "OMERO5.4__7"),
        ("DROP TABLE dbpatch CASCADE", "version", "there is no table dbpatch"),
    ],
)
def test_damage_is_found(omero: Omero, made: DatabaseUnderTest, damage: str, name: str, evidence: str) -> None:
    sql(made, damage)
    status, found = findings(omero)
    assert status == 1
    assert found[name]["status"] == "fail"
    assert evidence in found[name]["evidence"]
    assert found[name]["hint"]


def test_tables_of_somebody_else(omero: Omero, made: DatabaseUnderTest) -> None:
    with connect(made.superuser, autocommit=True) as connection:
        connection.execute(b"CREATE ROLE stranger")
    with connect(replace(made.superuser, name=made.address.name), autocommit=True) as connection:
        connection.execute(b"ALTER TABLE image OWNER TO stranger")
    status, found = findings(omero)
    assert status == 1
    assert "image belongs to stranger" in found["ownership"]["evidence"]


def test_a_repository_of_another_database(omero: Omero, made: DatabaseUnderTest) -> None:
    other = made.settings.data_directory / ".omero" / "repository" / "9f2f7a66-0000-4000-8000-000000000000"
    other.mkdir(parents=True)
    status, found = findings(omero)
    assert status == 0
    assert found["repository"]["status"] == "warn"
    assert other.name in found["repository"]["evidence"]


def test_another_encoding_is_found_and_no_server_starts(omero: Omero, made: DatabaseUnderTest) -> None:
    name = "latin"
    with connect(made.superuser, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} OWNER {made.address.user} TEMPLATE template0 ENCODING 'LATIN1'"
            " LC_COLLATE 'C' LC_CTYPE 'C'".encode()
        )
    update_profile(made.instance.config_xml, {"omero.db.name": name})
    status, found = findings(omero)
    assert status == 1
    assert found["encoding"]["status"] == "fail"
    with running(made.instance.omerodir, {**made.settings.explicit(), "omero.db.name": name}) as runtime:
        blitz = runtime.start("Blitz", "Blitz-0", wait=False)
        assert blitz.process.wait(30) == 78
        assert "has the encoding LATIN1; OMERO needs UTF8" in blitz.failure


def test_a_dump_is_the_way_back(omero: Omero, made: DatabaseUnderTest) -> None:
    dump = omero.home / "before"
    omero.ok("db", "dump", str(dump))
    assert dump.stat().st_mode & 0o077 == 0
    assert omero.run("db", "dump", str(dump)).returncode == 5
    want(made, 0)
    body = "CREATE TABLE extra (id int); DROP TABLE annotationannotationlink CASCADE;"
    write_script(made, "OMERO5.4__0", f"{NEXT}__0", body)
    omero.ok("db", "upgrade", "--yes")
    refused = omero.run("db", "restore", str(dump))
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert omero.run("db", "restore", str(omero.home), "--yes").returncode == 3
    with connect(made.address) as connection:
        connection.execute("SET application_name = 'Blitz-0'")
        assert omero.run("db", "restore", str(dump), "--yes").returncode == 6
        assert connection.execute("SELECT to_regclass('extra')").fetchone() != (None,)
    omero.ok("db", "restore", str(dump), "--yes")
    with connect(made.address) as connection:
        assert str(schema_version(connection)) == "OMERO5.4__0"
        assert connection.execute("SELECT to_regclass('extra')").fetchone() == (None,)
    update_profile(made.instance.config_xml, {"omero.db.version": "OMERO5.4", "omero.db.patch": "0"})
    omero.ok("db", "check")
