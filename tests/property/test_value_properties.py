"""Any text against any type: a verdict in words, never a failure, and the JSON Schema agrees."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from omeroadmin.schema import kinds
from omeroadmin.schema.catalog import nearest_names, settings
from omeroadmin.schema.kinds import Kind, ValueType
from omeroadmin.schema.setting import Setting
from omeroadmin.schema.validation import unknown_name
from omeroadmin.schema.values.check import problem_with
from omeroadmin.schema.values.forms import json_schema
from omeroadmin.schema.values.words import generic_example, wording

PIECES = [
    "(", ")", "[", "]", "{", "}", "\\", "*", "?", "+", "|", "&", "!", "=", ":", "/", "//", "%", "%time%", "%user%", ",",
    " ", "0", "1", "65535", "65536", "-", ".", "a", "K", "true", "None", "http://", "::1", '"', "L", "#", "W", "\n",
    "cn=a", "(?", "<", ">", "\x00", "é", "${x}", "{1,99999999}",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.integers().map(str),
    st.from_regex(r"[0-9*?LW#/, -]+( [0-9*?A-Z#/,-]+){4,6}", fullmatch=True),
)
TYPES = st.sampled_from([setting.type for setting in settings().values()] + [ValueType(kind) for kind in Kind])
EXACT = [
    kinds.BOOL, kinds.WEB_BOOL, kinds.whole(), kinds.enum("a", "B c", "1"), kinds.list_from("a", "b"),
    kinds.text_like("[ab]+", "letters"), ValueType(Kind.BYTES, suffixes="KM"), kinds.optional(kinds.enum("a")),
]  # fmt: skip
"""Types of which a pattern says all."""


@cache
def validator(number: int) -> Draft202012Validator:
    """Of a type of :data:`EXACT`, or of a declared one."""
    value_type = EXACT[number] if number < len(EXACT) else ALL[number - len(EXACT)].type
    return Draft202012Validator(json_schema(value_type))


ALL: list[Setting] = list(settings().values())


@given(TYPES, TEXTS)
def test_any_text_has_a_verdict(value_type: ValueType, text: str) -> None:
    problem = problem_with(value_type, text)
    if problem is not None:
        assert problem.startswith(wording(value_type))
        assert problem.isprintable()


@given(st.integers(0, len(ALL) - 1), TEXTS)
def test_what_is_taken_fits_the_schema(number: int, text: str) -> None:
    if problem_with(ALL[number].type, text) is None:
        assert validator(len(EXACT) + number).is_valid(text)


@given(st.integers(0, len(EXACT) - 1), TEXTS | st.sampled_from(["a", "b", "a , b", "TRUE", "t", "B c", "", "5K"]))
def test_where_a_pattern_says_all_the_schema_refuses_the_same(number: int, text: str) -> None:
    fits = problem_with(EXACT[number], text) is None
    # A pattern knows no longest number, and its $ lets a line's end pass.
    if not text.endswith("\n") and len(text) < 18:
        assert validator(number).is_valid(text) == fits


@given(st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False))
def test_plain_values_fit_as_their_text_does(value: Any) -> None:
    port = Draft202012Validator(json_schema(kinds.PORT))
    if isinstance(value, int):
        text = str(value).lower()
        assert port.is_valid(value) == (problem_with(kinds.PORT, text) is None)
        assert Draft202012Validator(json_schema(kinds.BOOL)).is_valid(value) == (problem_with(kinds.BOOL, text) is None)


@given(TYPES)
def test_examples_fit(value_type: ValueType) -> None:
    if (
        not value_type.pattern
        and value_type.form is None
        and value_type.items is None
        and value_type.kind is not Kind.ENUM
    ):
        assert problem_with(value_type, generic_example(value_type)) is None


@given(st.text(st.characters(codec="ascii"), max_size=300))
def test_any_name_has_neighbours_or_none(name: str) -> None:
    assert len(nearest_names(name)) <= 3
    warning = unknown_name(f"omero.{name}")
    assert warning is None or "is not a property" in warning
