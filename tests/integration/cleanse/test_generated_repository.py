"""The repository of the bench, small: cleanse finds just the orphans that were made."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.repository.orphans.findings import Kind
from omeroadmin.workflows.cleanse import CleanseWish, cleansing
from tests.benchmarks.repository_tree import Size, generate
from tests.support.database import running_database
from tests.support.orphans import found_paths, settle


def test_just_the_orphans_are_found(tmp_path: Path) -> None:
    with running_database(tmp_path) as database:
        orphans = generate(database, Size.of(20_000))
        settle()
        assert min(len(paths) for paths in orphans.values()) >= 2
        assert set(orphans) == set(Kind)
        wish = CleanseWish(database.instance, database.settings)
        with cleansing(wish) as run:
            findings = run.find()
            assert found_paths(findings) == orphans
            assert findings.problems.count == 0
            assert run.carry_out(findings).problems.count == 0
        with cleansing(wish) as run:
            assert run.find().count == 0
