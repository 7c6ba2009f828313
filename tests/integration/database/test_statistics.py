"""Statistics are what the rows add up to."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import psycopg
import pytest

from omeroadmin.database.connection import connect
from omeroadmin.database.statistics import Share, statistics
from omeroadmin.workflows.statistics import plot_growth, running_total
from tests.support.database import DatabaseUnderTest

DETAILS = "permissions, version, creation_id, update_id, group_id, owner_id"


def insert(connection: psycopg.Connection[Any], table: str, **columns: Any) -> int:
    """A row, with the next id."""
    names = ", ".join(columns)
    places = ", ".join(["%s"] * len(columns))
    statement = f"INSERT INTO {table} (id, {names}) VALUES (ome_nextval('seq_{table}'), {places}) RETURNING id"
    row = connection.execute(statement.encode(), list(columns.values())).fetchone()
    assert row is not None
    return int(row[0])


def event(connection: psycopg.Connection[Any], month: str) -> int:
    """An event at a month's beginning."""
    row = connection.execute("SELECT type, session FROM event ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    return insert(connection, "event", time=f"{month}-03 12:00", type=row[0], session=row[1], experimenter=0,
                  experimentergroup=0, permissions=-52)  # fmt: skip


def fileset(
    connection: psycopg.Connection[Any], month: str, owner: int, group: int, files: list[tuple[str, int]]
) -> int:
    """An import of files with hashes and sizes."""
    made = event(connection, month)
    details = {"permissions": -120, "version": 0, "creation_id": made, "update_id": made, "group_id": group,
               "owner_id": owner}  # fmt: skip
    number = insert(connection, "fileset", templateprefix="x", **details)
    for index, (digest, size) in enumerate(files):
        file = insert(connection, "originalfile", path=f"{number}/", name=str(index), hash=digest, hasher=1, size=size,
                      **details)  # fmt: skip
        insert(connection, "filesetentry", fileset=number, fileset_index=index, originalfile=file, clientpath="c",
               **details)  # fmt: skip
    insert(connection, "image", name=f"image of {number}", series=0, fileset=number,
           format=(connection.execute("SELECT min(id) FROM format").fetchone() or (None,))[0], **details)  # fmt: skip
    return number


def test_sums(embedded_instance: DatabaseUnderTest) -> None:
    generator = random.Random(20261128)
    expected: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    contents: dict[str, list[int]] = defaultdict(list)
    with connect(embedded_instance.address) as connection:
        for _ in range(30):
            month, group = generator.choice(["2025-11", "2026-01", "2026-02"]), generator.choice([0, 1])
            sizes = [generator.randrange(1, 40) * 10**9 for _ in range(generator.randrange(1, 4))]
            files = [(f"{size:040d}", size) for size in sizes]
            fileset(connection, month, 0, group, files)
            expected["month"][month] += sum(sizes)
            expected["group"][{0: "system", 1: "user"}[group]] += sum(sizes)
            for digest, size in files:
                contents[digest].append(size)
    with connect(embedded_instance.address) as connection:
        found = statistics(connection, top=5)
    assert {share.name: share.size for share in found.months} == expected["month"]
    assert [share.name for share in found.months] == sorted(expected["month"])
    assert {share.name: share.size for share in found.groups} == expected["group"]
    assert found.imported.filesets == found.imported.images == found.objects["Image"] == 30
    assert found.imported.files == sum(map(len, contents.values()))
    assert found.duplicate_files == sum(len(sizes) - 1 for sizes in contents.values())
    assert found.duplicate_size == sum(sum(sizes[1:]) for sizes in contents.values())
    assert [same.surplus for same in found.duplicates] == sorted(
        (sum(sizes[1:]) for sizes in contents.values() if len(sizes) > 1), reverse=True
    )[:5]
    assert len(found.largest) == 5
    assert [large.size for large in found.largest] == sorted((large.size for large in found.largest), reverse=True)
    assert found.largest[0].image == f"image of {found.largest[0].id}"
    assert [share.name for share in found.users] == ["root"]


def test_an_empty_server(shared_instance: DatabaseUnderTest, tmp_path: Path) -> None:
    with connect(shared_instance.address) as connection:
        found = statistics(connection, top=5)
    assert found.objects["Experimenter"] >= 2
    if not found.months:
        with pytest.raises(Exception, match="nothing to plot"):
            plot_growth(found, tmp_path / "plot.png")


def test_months_without_imports_are_on_the_way() -> None:
    months = (Share("2025-11", 1, 1, 1, 5), Share("2026-02", 1, 1, 1, 7))
    assert running_total(months) == [("2025-11", 5, 5), ("2025-12", 0, 5), ("2026-01", 0, 5), ("2026-02", 7, 12)]
    assert running_total(()) == []
