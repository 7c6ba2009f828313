"""Chains of upgrade scripts, and what is read from schema.sql."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.database.expected import parse_tables
from omeroadmin.database.script import SchemaVersion
from omeroadmin.database.upgrade import UpgradeScript, find_chain, upgrade_scripts, version_of
from omeroadmin.schema.instance import Instance

VERSIONS = [SchemaVersion("OMERO5", number) for number in range(8)]
EDGES = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda edge: edge[0] != edge[1]))


def script(source: SchemaVersion, target: SchemaVersion) -> UpgradeScript:
    return UpgradeScript(source, target, Path(f"{target}/{source}.sql"), None)


def distance(edges: set[tuple[int, int]], source: int, target: int) -> int | None:
    """The number of steps, by another way than a queue."""
    reached, steps = {source}, 0
    while target not in reached:
        further = reached | {end for start, end in edges if start in reached}
        if further == reached:
            return None
        reached, steps = further, steps + 1
    return steps


@given(EDGES, st.integers(0, 7), st.integers(0, 7))
def test_the_shortest_chain_is_found(edges: set[tuple[int, int]], source: int, target: int) -> None:
    scripts = [script(VERSIONS[start], VERSIONS[end]) for start, end in sorted(edges)]
    chain = find_chain(scripts, VERSIONS[source], VERSIONS[target])
    wanted = distance(edges, source, target)
    if wanted is None:
        assert chain is None
        return
    assert chain is not None
    assert len(chain) == wanted
    assert set(chain) <= set(scripts)
    assert all(first.target == second.source for first, second in pairwise(chain))
    if chain:
        assert (chain[0].source, chain[-1].target) == (VERSIONS[source], VERSIONS[target])


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("OMERO5.4__0", SchemaVersion("OMERO5.4", 0)),
        ("OMERO5.4DEV__3", SchemaVersion("OMERO5.4DEV", 3)),
        ("OMERO5.4__0-precheck", None),
        ("OMERO5.4", None),
        ("allow-guest-user-without-password", None),
        ("__1", None),
    ],
)
def test_names_of_versions(name: str, version: SchemaVersion | None) -> None:
    assert version_of(name) == version


def test_scripts_of_a_distribution(tmp_path: Path) -> None:
    directory = tmp_path / "sql" / "psql" / "OMERO5.4__0"
    directory.mkdir(parents=True)
    for name in ("OMERO5.3__1.sql", "OMERO5.3__1-precheck.sql", "OMERO5.3__0.sql", "OMERO5.4__0.sql", "schema.sql"):
        (directory / name).write_text("SELECT 1;")
    found = {str(one.source): one for one in upgrade_scripts(Instance(tmp_path))}
    assert set(found) == {"OMERO5.3__0", "OMERO5.3__1"}
    assert found["OMERO5.3__0"].precheck is None
    assert found["OMERO5.3__1"].precheck == directory / "OMERO5.3__1-precheck.sql"


def test_tables_of_a_script() -> None:
    tables = parse_tables(
        "CREATE TABLE _details (\n    owner_id bigint NOT NULL\n);\n"
        "CREATE TABLE job (\n    id bigint PRIMARY KEY,\n    -- a comment\n    name text UNIQUE,\n    LIKE _details,\n"
        "    UNIQUE (name, id)\n);\nCREATE TABLE part (job_id bigint PRIMARY KEY REFERENCES job, text text);\n"
        "DROP TABLE _details;\n"
    )
    assert set(tables) == {"job", "part"}
    assert tables["job"].columns == {"id", "name", "owner_id"}
    assert tables["job"].needed == {"id", "owner_id"}
    assert tables["job"].keys == {frozenset({"id"}), frozenset({"name"}), frozenset({"id", "name"})}
    assert tables["job"].references == {("owner_id", "experimenter")}
    assert tables["part"].columns == {"job_id", "text"}
    assert tables["part"].references == {("job_id", "job")}
