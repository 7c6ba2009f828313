"""Whatever the values are, they are refused or stay words of the directive that they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.nginx import values

TEXT = st.text(st.sampled_from("ab1/.-_:[]*~ \t\n\r;{}#\"'\\$%é٣"), max_size=12) | st.text(max_size=12)
SPECIAL = re.compile(r"[;{}#\"'\\\s]|\$(?!hostname\b)")


@pytest.mark.parametrize(
    "check",
    [
        values.server_names,
        values.body_size,
        values.prefix,
        lambda text: values.url_path(text, "omero.web.static_url"),
        lambda text: values.backend(text, 4080),
    ],
)
@given(text=TEXT)
@example(text="$hostname;")
@example(text="a\n")
def test_words_stay_words(check: Callable[[str], str], text: str) -> None:
    try:
        accepted = check(text)
    except AdminError:
        return
    assert not any(SPECIAL.search(word) for word in accepted.split(" "))
    assert accepted.isascii()


@given(text=TEXT)
def test_a_quoted_path_has_no_way_out(text: str) -> None:
    try:
        quoted = values.quoted_path(Path("/", text.replace("\0", "")), "OMERODIR")
    except AdminError:
        return
    assert re.fullmatch(r'"[^"\\$\x00-\x1f\x7f]*"', quoted)


@given(st.lists(TEXT))
def test_accepted_braces_never_close_the_server_block(lines: list[str]) -> None:
    directives = "\n".join(lines)
    if not values.balanced(directives) or re.search(r"[\"'#\\]", directives):
        return
    depth = 0
    for character in directives:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
