"""``--backup`` before a step that can't be taken back: a snapshot is there first, or nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.database.connection import connect, schema_version
from tests.support.backup import Seeded, seeded_instance
from tests.support.omero import Omero


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    with seeded_instance(tmp_path_factory.mktemp("first")) as made:
        yield made


@pytest.fixture
def omero(seeded: Seeded, tmp_path: Path) -> Omero:
    made = Omero(seeded.omerodir.parent)
    made.ok("config", "set", "omero.backup.target", str(tmp_path / "target"))
    return made


def wished(omero: Omero, directory: Path, *, mail: str) -> Path:
    """All properties as they are, and one more."""
    path = directory / "wished.json"
    path.write_text(omero.ok("config", "export", "--format", "json"))
    omero.ok("config", "set", "omero.mail.from", mail)
    return path


def tags(omero: Omero) -> list[str]:
    return [item["tag"] for item in omero.json("backup", "list", "--json")["snapshots"]]


def test_config_apply(omero: Omero, tmp_path: Path) -> None:
    path = wished(omero, tmp_path, mail="a@example.org")
    done = omero.run("config", "apply", "--prune", "--backup", str(path))
    assert done.returncode == 0, done
    assert "was taken before config apply" in done.stderr
    assert tags(omero) == ["before config apply"]
    assert omero.ok("config", "get", "omero.mail.from").strip() != "a@example.org"
    # Where nothing changes, and where it would only be shown, none is taken.
    for arguments in (("--prune", "--backup", str(path)), ("--prune", "--backup", "--dry-run", str(path))):
        done = omero.run("config", "apply", *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert tags(omero) == ["before config apply"]


def test_without_a_snapshot_nothing_is_changed(omero: Omero, seeded: Seeded, tmp_path: Path) -> None:
    path = wished(omero, tmp_path, mail="b@example.org")
    omero.ok("config", "set", "omero.backup.target", str(seeded.data / "inside"))
    done = omero.run("config", "apply", "--prune", "--backup", str(path))
    assert done.returncode == 3
    assert "is to be backed up" in done.stderr
    assert omero.ok("config", "get", "omero.mail.from").strip() == "b@example.org"
    omero.ok("config", "set", "omero.backup.target", str(tmp_path / "target"))
    missing = seeded.add_file("first_0/", "missing.tif", b"x")
    missing.unlink()
    done = omero.run("config", "apply", "--prune", "--backup", str(path))
    assert done.returncode == 5
    assert "first_0/missing.tif" in done.stderr
    assert "nothing was changed" in done.stderr
    assert omero.ok("config", "get", "omero.mail.from").strip() == "b@example.org"
    missing.write_bytes(b"x")


def test_db_upgrade(omero: Omero, seeded: Seeded) -> None:
    directory = seeded.omerodir / "sql" / "psql" / "OMERO5.5__0"
    directory.mkdir(parents=True)
    (directory / "OMERO5.4__0.sql").write_text(
        "BEGIN;\nINSERT INTO dbpatch (currentversion, currentpatch, previousversion, previouspatch, message, finished)"
        " VALUES ('OMERO5.5', 0, 'OMERO5.4', 0, 'Database updated.', clock_timestamp());\nCOMMIT;\n"
    )
    omero.ok("config", "set", "omero.db.version", "OMERO5.5")
    done = omero.run("db", "upgrade", "--backup", "--yes")
    assert done.returncode == 0, done
    assert tags(omero) == ["before db upgrade"]
    with connect(seeded.database.address) as connection:
        assert str(schema_version(connection)) == "OMERO5.5__0"
    # The snapshot is of the time before.
    document = omero.json("backup", "create", "--json")
    assert document["versions"]["schema"] == "OMERO5.5__0"
    done = omero.run("db", "upgrade", "--backup", "--yes")
    assert done.returncode == 0
    assert len(tags(omero)) == 2, "there was nothing to upgrade"
