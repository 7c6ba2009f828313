"""Values of objects' properties: whatever a client sends is stored as it is meant, or refused in one line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.services.model.declared import ENTITIES
from omeroadmin.runtime.services.blitz.services.model.entity import Column, ColumnKind
from omeroadmin.runtime.services.blitz.services.objects.reading import columns_of
from omeroadmin.runtime.services.blitz.services.objects.values import (
    Reference,
    known_column,
    parse,
    parse_fields,
    parse_pairs,
    parse_reference,
    require_all,
    show,
)
from omeroadmin.runtime.services.blitz.services.objects.writing import changed_pairs

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
COLUMNS = {kind: Column("x", kind, "Project") for kind in ColumnKind}


def parsed(kind: ColumnKind, value: Any) -> Any:
    return parse(COLUMNS[kind], value)


@given(st.sampled_from(ColumnKind), JSON)
def test_anything_is_taken_or_refused(kind: ColumnKind, value: Any) -> None:
    refusal = None
    result: Any = None
    try:
        result = parsed(kind, value)
    except AdminError as error:
        refusal = error
    if refusal is not None:
        assert refusal.code == "request-invalid"
        assert "\n" not in refusal.message
        return
    shown = show(COLUMNS[kind], result) if not isinstance(result, Reference) else str(result)
    # What the API says of a value gives the same value again.
    assert parsed(kind, shown) == result


@given(TEXTS)
def test_texts_stay_as_they_are(text: str) -> None:
    assert parsed(ColumnKind.TEXT, text) == text
    if len(text) <= 255:
        assert parsed(ColumnKind.NAME, text) == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_may_be_texts(number: int) -> None:
    assert parsed(ColumnKind.INTEGER, str(number)) == number == parsed(ColumnKind.INTEGER, number)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reals_may_be_texts(number: float) -> None:
    assert parsed(ColumnKind.REAL, repr(number)) == number


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001 - as the database gives it, UTC
def test_times(moment: datetime) -> None:
    assert parsed(ColumnKind.TIME, moment.isoformat()) == moment
    assert parsed(ColumnKind.TIME, moment.replace(tzinfo=UTC).isoformat()) == moment
    milliseconds = show(COLUMNS[ColumnKind.TIME], moment)
    assert abs((parsed(ColumnKind.TIME, milliseconds) - moment).total_seconds()) < 0.001


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnKind.NAME, "x" * 256),
        (ColumnKind.NAME, "a\0b"),
        (ColumnKind.TEXT, "\ud800"),
        (ColumnKind.TEXT, 5),
        (ColumnKind.INTEGER, True),
        (ColumnKind.INTEGER, "٣"),
        (ColumnKind.INTEGER, "1_000"),
        (ColumnKind.INTEGER, 2**63),
        (ColumnKind.INTEGER, 1.5),
        (ColumnKind.REAL, "nan"),
        (ColumnKind.REAL, "1e999"),
        (ColumnKind.REAL, float("inf")),
        (ColumnKind.REAL, True),
        (ColumnKind.FLAG, "yes"),
        (ColumnKind.FLAG, 1),
        (ColumnKind.TIME, "yesterday"),
        (ColumnKind.TIME, 10**18),
        (ColumnKind.REFERENCE, "Project"),
        (ColumnKind.REFERENCE, "Project:-1"),
        (ColumnKind.REFERENCE, "Project:1:2"),
        (ColumnKind.REFERENCE, "Project:9999999999999999999"),
        (ColumnKind.REFERENCE, -1),
    ],
)
def test_refused(kind: ColumnKind, value: Any) -> None:
    with pytest.raises(AdminError) as caught:
        parsed(kind, value)
    assert caught.value.code == "request-invalid"


def test_references() -> None:
    assert parsed(ColumnKind.REFERENCE, "Dataset:7") == Reference("Dataset", 7)
    assert parsed(ColumnKind.REFERENCE, 7) == parsed(ColumnKind.REFERENCE, "7") == Reference("Project", 7)
    with pytest.raises(AdminError, match="parent is not an object such as Project:51, but 'x'"):
        parse_reference("x", "parent")


def test_properties_of_a_type() -> None:
    tag = ENTITIES["TagAnnotation"]
    assert parse_fields(tag, {"textValue": "mitosis", "ns": None}) == {
        known_column(tag, "textValue"): "mitosis",
        known_column(tag, "ns"): None,
    }
    with pytest.raises(AdminError, match="a TagAnnotation has no 'color'; it has name, ns, description, textValue"):
        parse_fields(tag, {"color": "red"})
    with pytest.raises(AdminError, match="a Dataset can't be without name"):
        parse_fields(ENTITIES["Dataset"], {"name": None})
    with pytest.raises(AdminError, match="size of an OriginalFile can't be set"):
        parse_fields(ENTITIES["OriginalFile"], {"size": 1})
    with pytest.raises(AdminError, match="list of pairs; set it with map-set"):
        parse_fields(ENTITIES["MapAnnotation"], {"mapValue": "x"})
    with pytest.raises(AdminError, match="required arguments: parent, child"):
        require_all(ENTITIES["ProjectDatasetLink"], {})


def test_kinds_of_annotations_share_their_columns() -> None:
    """A column of the table means the same in all of them: they are read together."""
    kinds = [entity for entity in ENTITIES.values() if entity.is_a("Annotation")]
    shared = {column.column: column for column in columns_of(kinds)}
    assert all(shared[column.column] == column for entity in kinds for column in entity.columns)


KEYS = st.sampled_from("abc")
PAIRS = st.lists(st.tuples(KEYS, TEXTS), max_size=6)


@given(PAIRS, st.dictionaries(KEYS, TEXTS | st.none()))
def test_pairs(pairs: list[tuple[str, str]], change: dict[str, str | None]) -> None:
    after = changed_pairs(pairs, change)
    for key, value in change.items():
        values = [one for name, one in after if name == key]
        before = [one for name, one in pairs if name == key]
        assert values == ([] if value is None else [value, *before[1:]])
    assert [pair for pair in after if pair[0] not in change] == [pair for pair in pairs if pair[0] not in change]
    assert changed_pairs(after, change) == after


@given(JSON.filter(lambda value: not isinstance(value, (list, tuple)) or len(value) != 2))
def test_what_is_no_pair(value: Any) -> None:
    with pytest.raises(AdminError):
        parse_pairs("mapValue", [value])
