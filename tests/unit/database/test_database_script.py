"""The script that makes a database, and the statement that sets a password."""

from pathlib import Path

import pytest

from omeroadmin.database.script import (
    SchemaVersion,
    database_script,
    password_statement,
    root_hash,
    schema_directory,
)
from omeroadmin.errors import AdminError, ExitStatus
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

CURRENT = SchemaVersion("OMERO5.4", 0)


def test_version_of_the_defaults() -> None:
    version = SchemaVersion.from_settings(Settings({}))
    assert version == CURRENT
    assert str(version) == "OMERO5.4__0"


def test_a_version_that_would_leave_the_directory_is_refused() -> None:
    with pytest.raises(AdminError) as caught:
        SchemaVersion.from_settings(Settings({"omero.db.version": "../../etc"}))
    assert caught.value.code == "setting-invalid"


def test_script_is_one_transaction_without_leftovers() -> None:
    script = database_script(root_hash("secret"), version=CURRENT, directory=schema_directory(None, CURRENT))
    assert script.count("\nBEGIN;\n") == 1
    assert script.endswith("COMMIT;\n")
    assert root_hash("secret") in script
    for leftover in ("@ROOTPASS@", "@DBVERSION@", "@DBPATCH@", "%(", "%%"):
        assert leftover not in script
    assert "secret" not in script


def test_a_distribution_brings_its_own_sql(tmp_path: Path) -> None:
    own = tmp_path / "sql" / "psql" / "OMERO5.4__0"
    own.mkdir(parents=True)
    (own / "psql-header.sql").write_text("-- %(SCRIPT)s 100%%\nBEGIN;\n")
    (own / "schema.sql").write_text("-- 100% as it is\n")
    (own / "views.sql").write_text("")
    (own / "psql-footer.sql").write_text("-- @ROOTPASS@ @DBVERSION@ @DBPATCH@ %%\nCOMMIT;\n")
    directory = schema_directory(Instance(tmp_path), CURRENT)
    assert directory == own
    script = database_script("hash", version=CURRENT, directory=directory, script="a\nDROP TABLE x;")
    assert script == "-- a DROP TABLE x; 100%\nBEGIN;\n\n-- 100% as it is\n\n\n-- hash OMERO5.4 0 %\nCOMMIT;\n"
    (own / "psql-header.sql").write_text("-- 100% wrong\n")
    with pytest.raises(AdminError) as caught:
        database_script("hash", version=CURRENT, directory=directory)
    assert caught.value.code == "schema-invalid"
    assert str(own) in caught.value.message


def test_an_unknown_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(AdminError) as caught:
        schema_directory(Instance(tmp_path), SchemaVersion("OMERO9.9", 1))
    assert caught.value.code == "schema-unknown"
    assert "OMERO9.9__1" in caught.value.message
    assert caught.value.exit_status == ExitStatus.CONFIGURATION


def test_a_hash_that_would_end_the_string_is_refused() -> None:
    with pytest.raises(AdminError) as caught:
        database_script("x', now()); --", version=CURRENT, directory=schema_directory(None, CURRENT))
    assert caught.value.code == "password-hash-invalid"


def test_password_statement_is_omeros() -> None:
    assert password_statement("ome", salt=False) == (
        "UPDATE password SET hash = 'vvFwuczAmpyoRC0Nsv8FCw==' WHERE experimenter_id = 0;"
    )
    assert password_statement("ome", user_id=7).endswith("WHERE experimenter_id = 7;")
    assert root_hash("ome", user_id=7) != root_hash("ome")


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(AdminError) as caught:
        password_statement("")
    assert caught.value.code == "password-empty"
