"""Lines and blocks of texts: put in once, whatever the text is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.editing import markers, with_block, with_line, without_block, without_line

LINES = st.sampled_from(
    ["a = 1", "a = 2", "#a = 1", "b", "", "# BEGIN omero n", "# END omero n", " # END omero n", "\r"]
)
TEXTS = st.one_of(
    st.lists(LINES, max_size=8).map("\n".join), st.lists(LINES, max_size=8).map("".join), st.text(max_size=20)
)
WISHED = st.one_of(st.sampled_from(["a = 1", "b", "a = 3"]), st.text(min_size=1).filter(lambda line: "\n" not in line))
PATTERNS = st.sampled_from(["", "^a", "^#?a =", "^#a", "b", "", "$", "omero"])


@pytest.mark.parametrize(
    ("text", "match", "expected"),
    [
        ("", "", "a = 2\n"),
        ("x", "", "x\na = 2\n"),
        ("a = 2\nx\na = 2\n", "", "a = 2\nx\na = 2\n"),
        ("#a = 1\nx\n", "^#?a =", "a = 2\nx\n"),
        ("a = 1\nx\na = 3\n", "^a =", "a = 1\nx\na = 2\n"),
        ("a = 2\nx\na = 3\n", "^a =", "x\na = 2\n"),
        ("#a = 1\na = 2\n#a = 3\n", "^#a", "#a = 1\na = 2\n#a = 3\n"),
    ],
)
def test_line_is_put_where_it_belongs(text: str, match: str, expected: str) -> None:
    assert with_line(text, "a = 2", match) == expected


def test_anchors_say_where_what_is_new_comes() -> None:
    text = "[one]\nx\n[two]\n[two]\n"
    assert with_line(text, "y", after=r"^\[one") == "[one]\ny\nx\n[two]\n[two]\n"
    assert with_line(text, "y", before=r"^\[two") == "[one]\nx\ny\n[two]\n[two]\n"
    assert with_line(text, "y", after="three", before=r"^\[one") == "y\n" + text
    assert with_block(text, "n", "y", ";", after=r"^\[two") == text + "; BEGIN omero n\ny\n; END omero n\n"


@given(TEXTS, WISHED, PATTERNS, PATTERNS, PATTERNS)
def test_a_line_is_there_after_and_never_twice(text: str, line: str, match: str, after: str, before: str) -> None:
    once = with_line(text, line, match, after, before)
    assert with_line(once, line, match, after, before) == once
    copies = once.split("\n").count(line)
    assert copies == 1 or (not match and copies == text.split("\n").count(line))
    others = [present for present in text.split("\n") if present and present != line]
    assert len([present for present in once.split("\n") if present and present != line]) >= len(others) - 1


@given(TEXTS, WISHED, PATTERNS)
def test_no_line_is_left(text: str, line: str, match: str) -> None:
    once = without_line(text, line, match)
    assert without_line(once, line, match) == once
    present = once.split("\n")[:-1] if once.endswith("\n") or not once else once.split("\n")
    assert line not in present
    assert not match or not any(re.search(match, one) for one in present)


@given(TEXTS, TEXTS, PATTERNS, PATTERNS)
def test_a_block_is_there_once_and_goes_again(text: str, content: str, after: str, before: str) -> None:
    begin, end = markers("n", "#")
    try:
        once = with_block(text, "n", content, "#", after, before)
    except HostError:
        marked = {line.strip() for line in (text + "\n" + content).split("\n")}
        assert {begin, end} & marked
        return
    assert with_block(once, "n", content, "#", after, before) == once
    assert [line.strip() for line in once.split("\n")].count(begin) == 1
    without = without_block(once, "n")
    assert without_block(text, "n").rstrip("\n") == without.rstrip("\n")
    assert with_block(once, "n", "other", "#", after, before).count("other") == 1


@pytest.mark.parametrize("text", ["# BEGIN omero n\nx\n", "x\n# END omero n\n", "# BEGIN omero n\n# BEGIN omero n\n"])
def test_a_marker_without_its_partner_is_an_error(text: str) -> None:
    with pytest.raises(HostError, match="no partner"):
        with_block(text, "n", "y")
    with pytest.raises(HostError, match="no partner"):
        without_block(text, "n")
