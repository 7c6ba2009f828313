"""The instance's own PostgreSQL, with each PostgreSQL that is installed here."""

import dataclasses
import os
import socket
import stat
from pathlib import Path

import psycopg
import pytest

from omeroadmin.database import embedded
from omeroadmin.database.cluster import postmaster
from omeroadmin.database.connection import connect
from omeroadmin.database.passwords import verify
from omeroadmin.database.plan import DatabaseWish, database_facts, load_schema, plan_database
from omeroadmin.database.programs import Programs
from omeroadmin.database.script import SchemaVersion, database_script, root_hash, schema_directory
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.apply import apply_plan
from omeroadmin.system import process
from omeroadmin.system.local import LocalHost
from tests.support.database import (
    DATABASE_PASSWORD,
    ROOT_PASSWORD,
    DatabaseUnderTest,
    all_programs,
    make_instance,
    programs_name,
    running_database,
)
from tests.support.ports import free_port

each_postgresql = pytest.mark.parametrize("programs", all_programs(), ids=programs_name)


def plan_lines(made: DatabaseUnderTest) -> list[str]:
    """What is left to do."""
    wish = DatabaseWish(made.instance, made.settings, made.instance.root_password_file)
    return plan_database(database_facts(made.instance, made.settings), wish).lines()


@each_postgresql
def test_from_nothing_to_a_login(programs: Programs, tmp_path: Path) -> None:
    # Characters that a shell would take for its own, and a path longer than a socket's name may be.
    home = tmp_path / "a $HOME \"quoted\" 'path'" / ("x" * 100)
    home.mkdir(parents=True)
    bindir = str(programs.bindir)
    with running_database(
        home, omero__db__embedded__bindir=bindir, omero__db__name='o"m', omero__db__user="o'm"
    ) as made:
        assert plan_lines(made) == []
        with connect(made.address) as connection:
            assert connection.execute("SELECT count(*) FROM experimenter").fetchone() == (2,)
            assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
            assert connection.execute("SHOW data_checksums").fetchone() == ("on",)
            row = connection.execute("SELECT hash FROM password WHERE experimenter_id = 0").fetchone()
            assert row is not None
            assert verify(row[0], 0, ROOT_PASSWORD)
            assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (
                False,
            )
        state = embedded.status(made.instance)
        assert state.running
        assert embedded.start(made.instance, made.settings) == state
        assert embedded.stop(made.instance, made.settings)
        assert not embedded.stop(made.instance, made.settings)
        assert embedded.status(made.instance) == embedded.EmbeddedStatus(True, None, None)
        assert plan_lines(made) == []


@each_postgresql
def test_the_script_loads_in_psql(programs: Programs, tmp_path: Path) -> None:
    version = SchemaVersion("OMERO5.4", 0)
    script = database_script(root_hash("secret"), version=version, directory=schema_directory(None, version))
    with running_database(tmp_path, schema=False, omero__db__embedded__bindir=str(programs.bindir)) as made:
        psql: list[str | Path] = [programs.path("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
        with made.address.environment() as environment:
            first = process.run(psql, timeout=60, environment=environment, input_text=script)
            second = process.run(psql, timeout=60, environment=environment, input_text=script)
        assert (first.status, first.error_output) == (0, "")
        assert not second.succeeded
        assert "already holds an OMERO schema" in second.error_output
        with connect(made.address) as connection:
            row = connection.execute("SELECT hash FROM password WHERE experimenter_id = 0").fetchone()
            assert row == (root_hash("secret"),)


def test_files_and_logins_are_closed(embedded_instance: DatabaseUnderTest) -> None:
    instance, settings = embedded_instance.instance, embedded_instance.settings
    cluster = embedded.cluster_of(instance)
    assert stat.S_IMODE(cluster.directory.stat().st_mode) == 0o700
    for secret in (cluster.password_file, cluster.log):
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    authentication = (cluster.data / "pg_hba.conf").read_text()
    methods = {line.split()[-1] for line in authentication.splitlines() if line.strip() and not line.startswith("#")}
    assert methods == {"scram-sha-256"}
    for secret_text in (DATABASE_PASSWORD, ROOT_PASSWORD, embedded_instance.superuser.password):
        assert secret_text not in cluster.log.read_text()
    port = settings.number("omero.db.port")
    listening = process.run(["cat", "/proc/net/tcp", "/proc/net/tcp6"], timeout=10).output
    assert f"0100007F:{port:04X}" in listening
    assert f"00000000:{port:04X}" not in listening


def test_a_changed_password_is_planned_and_given(embedded_instance: DatabaseUnderTest) -> None:
    values = embedded_instance.settings.explicit() | {"omero.db.pass": "another"}
    changed = DatabaseUnderTest(embedded_instance.instance, Settings(values))
    assert plan_lines(changed)[0].startswith("create the role")
    embedded.create_database(changed.superuser, changed.address)
    assert plan_lines(changed) == []
    connect(changed.address).close()


def test_a_changed_port_is_taken_at_the_next_start(embedded_instance: DatabaseUnderTest) -> None:
    port = free_port()
    values = embedded_instance.settings.explicit() | {"omero.db.port": str(port)}
    changed = DatabaseUnderTest(embedded_instance.instance, Settings(values))
    assert embedded.start(changed.instance, changed.settings).port == port
    connect(changed.address).close()


def test_a_database_made_anew_is_empty(embedded_instance: DatabaseUnderTest) -> None:
    with connect(embedded_instance.address):
        embedded.recreate_database(embedded_instance.superuser, embedded_instance.address)
    with connect(embedded_instance.address) as connection:
        assert connection.execute("SELECT to_regclass('image')").fetchone() == (None,)
    load_schema(embedded_instance.instance, embedded_instance.address, SchemaVersion("OMERO5.4", 0), "secret")


def test_a_schema_that_fails_leaves_nothing(tmp_path: Path) -> None:
    own = tmp_path / "OMERO.server" / "sql" / "psql" / "OMERO5.4__0"
    own.mkdir(parents=True)
    (own / "psql-header.sql").write_text("BEGIN;\nCREATE TABLE left_over (id integer);\n")
    (own / "schema.sql").write_text("CREATE TABLE wrong (id nonsense);\n")
    (own / "views.sql").write_text("")
    (own / "psql-footer.sql").write_text("COMMIT;\n")
    with running_database(tmp_path, schema=False) as made:
        with pytest.raises(AdminError) as caught:
            load_schema(made.instance, made.address, SchemaVersion("OMERO5.4", 0), "secret")
        assert caught.value.code == "schema-not-loaded"
        assert "nonsense" in caught.value.message
        with connect(made.address) as connection:
            assert connection.execute("SELECT to_regclass('left_over')").fetchone() == (None,)


def test_a_taken_port_is_named_with_its_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        made = make_instance(tmp_path, omero__db__port=str(port))
        embedded.initialise(made.instance, made.settings)
        with pytest.raises(AdminError) as caught:
            embedded.start(made.instance, made.settings)
    assert caught.value.code == "port-taken"
    assert str(port) in caught.value.message
    assert f"process {os.getpid()}" in caught.value.message


def test_what_postgresql_complains_of_is_told(tmp_path: Path) -> None:
    made = make_instance(tmp_path)
    embedded.initialise(made.instance, made.settings)
    cluster = embedded.cluster_of(made.instance)
    with (cluster.data / "postgresql.auto.conf").open("a") as stream:
        stream.write("shared_buffers = 'nonsense'\n")
    with pytest.raises(AdminError) as caught:
        embedded.start(made.instance, made.settings)
    assert caught.value.code == "database-not-started"
    assert str(cluster.log) in caught.value.hint
    assert "errors" in caught.value.message
    assert postmaster(cluster) is None


def test_no_cluster_and_a_foreign_host(tmp_path: Path) -> None:
    made = make_instance(tmp_path)
    for act in (embedded.start, embedded.superuser_address):
        with pytest.raises(AdminError) as caught:
            act(made.instance, made.settings)
        assert caught.value.code == "cluster-missing"
    embedded.initialise(made.instance, made.settings)
    elsewhere = Settings(made.settings.explicit() | {"omero.db.host": "db.example.org"})
    with pytest.raises(AdminError) as caught:
        embedded.start(made.instance, elsewhere)
    assert caught.value.code == "setting-invalid"
    assert "db.example.org" in caught.value.message


def test_an_external_database(embedded_instance: DatabaseUnderTest, tmp_path: Path) -> None:
    superuser = embedded_instance.superuser
    external = dataclasses.replace(embedded_instance.address, name="external")
    embedded.create_database(superuser, external)
    values = embedded_instance.settings.explicit() | {"omero.db.embedded": "false", "omero.db.name": "external"}
    made = DatabaseUnderTest(embedded_instance.instance, Settings(values))
    assert [line.split()[0] for line in plan_lines(made)] == ["load"]
    wish = DatabaseWish(made.instance, made.settings, made.instance.root_password_file)
    apply_plan(plan_database(database_facts(made.instance, made.settings), wish), LocalHost())
    assert plan_lines(made) == []
    missing = DatabaseUnderTest(made.instance, Settings(values | {"omero.db.name": "none"}))
    with pytest.raises(AdminError) as caught:
        plan_lines(missing)
    assert (caught.value.code, caught.value.exit_status) == ("database-missing", ExitStatus.CONFIGURATION)


def test_rows_that_must_stay(embedded_instance: DatabaseUnderTest) -> None:
    forbidden = (
        "UPDATE experimenter SET omename = 'boss' WHERE id = 0",
        "UPDATE experimentergroup SET name = 'rulers' WHERE id = 0",
        (
            "INSERT INTO dbpatch (id, currentversion, currentpatch, previousversion, previouspatch)"
            " VALUES (9, 'OMERO5.4', 0, 'OMERO5.3', 0)"
        ),
    )
    with connect(embedded_instance.address, autocommit=True) as connection:
        for statement in forbidden:
            with pytest.raises(psycopg.errors.RaiseException):
                connection.execute(statement.encode())
        connection.execute("UPDATE experimenter SET firstname = 'Rosa' WHERE id = 0")
        connection.execute(
            "INSERT INTO originalfile (id, path, name, repo, mimetype, permissions, creation_id, update_id, owner_id,"
            " group_id) VALUES (1, '/', 'a', 'r', 'Directory', -120, 0, 0, 0, 0), (2, '/a/', 'b', 'r', 'x', -120, 0, 0,"
            " 0, 0)"
        )
        with pytest.raises(psycopg.errors.RaiseException, match=r"/a \(originalfile 1\) is not empty"):
            connection.execute("DELETE FROM originalfile WHERE id = 1")
        with pytest.raises(psycopg.errors.RaiseException):
            connection.execute("UPDATE originalfile SET mimetype = 'x' WHERE id = 1")
        connection.execute("DELETE FROM originalfile WHERE id = 2")
        connection.execute("DELETE FROM originalfile WHERE id = 1")


def test_ids_are_consecutive(embedded_instance: DatabaseUnderTest) -> None:
    with connect(embedded_instance.address) as one, connect(embedded_instance.address) as two:
        first = one.execute("SELECT ome_nextval('seq_image', 5)").fetchone()
        second = two.execute("SELECT ome_nextval('seq_image', 5)").fetchone()
        assert (first, second) == ((5,), (10,))
        assert two.execute("SELECT ome_nextval('seq_experimenter')").fetchone() == (2,)
        with pytest.raises(psycopg.Error):
            one.execute("SELECT ome_nextval('seq_nonsense')")
