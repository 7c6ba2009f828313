"""What a pgBackRest repository holds: read, chosen by time, expired by need."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.database.physical.catalog import (
    PhysicalBackup,
    choose,
    full_backups_to_keep,
    next_kind,
    reaches,
    read_catalog,
    read_report,
)
from omeroadmin.errors import AdminError

DAY = 86400

REPORT = """stanza: omero
status: error
  archiveId: 15-1, total WAL checked: 3, total valid WAL: 2
    other: 1
  backup: 20261128-204759F, status: invalid, total files checked: 1642, total valid files: 1641
    checksum invalid: 1
  backup: 20261129-204759F, status: valid, total files checked: 1642, total valid files: 1642
    missing: 0, checksum invalid: 0, size invalid: 0, other: 0
"""


def backup(label: str, stopped: int, kind: str = "full") -> PhysicalBackup:
    return PhysicalBackup(label, kind, stopped - 2, stopped, 1, 1, faulty=False, major=15)


def label(day: int) -> str:
    return f"202611{day:02d}-010000F"


FULL = [backup(label(day), day * DAY) for day in range(1, 6)]
DIFF = backup(f"{label(4)}_20261104-120000D", 4 * DAY + DAY // 2, "diff")


def test_the_newest_one_that_was_finished_before() -> None:
    assert choose([*FULL, DIFF], None) is FULL[-1]
    assert choose([*FULL, DIFF], datetime.fromtimestamp(5 * DAY, UTC)) is DIFF
    # Its last second may still belong to it.
    assert choose(FULL, datetime.fromtimestamp(2 * DAY + 0.9, UTC)) is FULL[0]
    assert choose(FULL, datetime.fromtimestamp(2 * DAY + 1, UTC)) is FULL[1]
    with pytest.raises(AdminError) as caught:
        choose(FULL, datetime.fromtimestamp(DAY, UTC))
    assert (caught.value.code, caught.value.hint) == ("moment-too-early", "the earliest moment is 1970-01-02T00:00:01Z")


def test_a_backup_begun_after_a_moment_proves_that_it_is_reached() -> None:
    begun = FULL[-1].started
    assert reaches(FULL, datetime.fromtimestamp(begun - 1, UTC))
    assert reaches(FULL, datetime.fromtimestamp(begun, UTC))
    # It may have been begun at any time of that second.
    assert not reaches(FULL, datetime.fromtimestamp(begun + 0.5, UTC))
    assert not reaches([], datetime.fromtimestamp(begun, UTC))


def test_full_ones_are_taken_every_week() -> None:
    assert next_kind([], 0, 7) == "full"
    assert next_kind(FULL, FULL[-1].started + 6.9 * DAY, 7) == "diff"
    assert next_kind([*FULL, DIFF], FULL[-1].started + 7 * DAY, 7) == "full"


@given(st.sets(st.integers(1, 5)), st.booleans())
def test_what_snapshots_name_stays_and_so_does_the_newest(days: set[int], diff: bool) -> None:
    wanted = [label(day) for day in days] + ([DIFF.label] if diff else [])
    keep = full_backups_to_keep([*FULL, DIFF], wanted)
    kept = {item.label for item in FULL[len(FULL) - keep :]}
    assert FULL[-1].label in kept
    assert {name[:16] for name in wanted} <= kept
    # Not one more than needed.
    oldest = min(kept)
    assert keep == 1 or oldest in {name[:16] for name in wanted}


def test_labels_that_are_gone_hold_nothing_back() -> None:
    assert full_backups_to_keep(FULL, ["20250101-010000F"]) == 1
    assert full_backups_to_keep([], [label(1)]) == 1


def test_what_verification_found() -> None:
    faults = read_report(REPORT)
    assert [(fault.part, fault.message.partition(" (")[0]) for fault in faults] == [
        ("15-1", "other: 1"),
        ("20261128-204759F", "checksum invalid: 1"),
    ]
    assert [fault.concerns(["20261129-204759F"]) for fault in faults] == [True, False]
    assert [fault.concerns(["20261128-204759F"]) for fault in faults] == [True, True]
    assert read_report("") == []
    assert [fault.part for fault in read_report("stanza: omero\nstatus: error\n")] == [""]


@given(st.one_of(st.text(), st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner)
                                        | st.dictionaries(st.sampled_from(["name", "status", "backup", "db"]), inner))
                 .map(lambda value: json.dumps([value]))))  # fmt: skip
def test_an_answer_that_makes_no_sense(text: str) -> None:
    catalog, code = None, ""
    try:
        catalog = read_catalog(text, "omero")
    except AdminError as error:
        code = error.code
    assert code == "physical-answer-invalid" or (catalog is not None and catalog.backups == ())


def test_a_repository_without_the_cluster() -> None:
    catalog = read_catalog("[]", "omero")
    assert (catalog.exists, catalog.backups) == (False, ())
