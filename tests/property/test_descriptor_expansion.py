"""Variables of the application descriptor."""

from __future__ import annotations

import string
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.grid.expansion import ExpansionError, Scope, UndefinedVariableError, escape

NAMES = st.text(string.ascii_letters + "-._", min_size=1, max_size=8)
TEXTS = st.text(alphabet="$${}ab.é\n", max_size=30)


@given(TEXTS)
def test_what_is_escaped_stays_as_it_is(text: str) -> None:
    assert Scope().expand(escape(text)) == text


@given(TEXTS, NAMES, TEXTS, TEXTS)
def test_values_are_not_looked_at_again(before: str, name: str, value: str, after: str) -> None:
    scope = Scope({name: value})
    # A dollar right before a reference would belong to it.
    assert scope.expand(f"{escape(before)} ${{{name}}}{escape(after)}") == f"{before} {value}{after}"


@given(TEXTS)
def test_texts_without_references_are_left_alone(text: str) -> None:
    plain = text.replace("{", "(")
    assert Scope().expand(plain) == plain


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), TEXTS)
def test_variables_may_refer_to_each_other(names: list[str], value: str) -> None:
    variables = {name: f"${{{after}}}" for name, after in pairwise(names)}
    scope = Scope(variables={**variables, names[-1]: escape(value)})
    assert scope.expand(f"${{{names[0]}}}") == value


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True))
def test_circles_are_found(names: list[str]) -> None:
    circle = dict(zip(names, [f"${{{name}}}" for name in (*names[1:], names[0])], strict=True))
    with pytest.raises(UndefinedVariableError, match="refers to itself"):
        Scope(variables=circle).expand(f"${{{names[0]}}}")


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${a}", "1"),
        ("$${a}", "${a}"),
        ("$$${a}", "$1"),
        ("$$$${a}", "$${a}"),
        ("pa$$word", "pa$$word"),
        ("$${", "${"),
        ("x $${a{b} y", "x ${a{b} y"),
        ("$${a ${b}}", "${a 2}"),
        ("${a}${b}", "12"),
    ],
)
def test_dollars(text: str, expanded: str) -> None:
    """As icegridnode 3.7 expands them."""
    assert Scope({"a": "1"}, {"b": "2"}).expand(text) == expanded


@pytest.mark.parametrize("text", ["${", "x ${a", "$$${a"])
def test_references_without_end(text: str) -> None:
    with pytest.raises(ExpansionError, match="without the brace"):
        Scope({"a": "1"}).expand(text)


def test_inner_scopes_hide_outer_ones() -> None:
    scope = Scope({"a": "1"}, {"b": "${a}"}).with_values({"a": "2"})
    assert scope.expand("${b}") == "2"


def test_unknown_names_are_named() -> None:
    with pytest.raises(UndefinedVariableError, match="refers to the variable zz, which is not defined"):
        Scope().expand("x ${zz}")
