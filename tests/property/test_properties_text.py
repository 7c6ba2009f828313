"""Properties as text: what is written is read back, by Java's rules too; any text gives entries or words."""

from __future__ import annotations

import re

import javaproperties
from hypothesis import assume, example, given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.profiles.properties import format_properties, parse_properties
from tests.property.test_config_xml import names, values
from tests.support.attempts import attempt

PIECES = [
    "a", "omero.db.host", "=", ":", " ", "\t", "\f", "\n", "\r", "\r\n", "#", "!", "\\", "\\\\", "\\n", "\\=", "\\ ",
    "\\u00e9", "\\ud83d\\ude00", "\\\n", "\\\n\n", "\\\r\n  ", "é", "\x85", "\u2028", "\ufeff", "\\\n#", "\\\n!",
]  # fmt: skip
NOT_AS_JAVA = re.compile(r"(?<!\\)(\\\\)*\\[^tnrfu\\=:#! \n\r]")
"""A backslash that Java would drop."""
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
texts = st.lists(st.sampled_from(PIECES), max_size=15).map("".join)
any_text = st.one_of(
    texts, st.text(), st.lists(st.sampled_from([*PIECES, "\\u", "\\ud83d", "\\d", "\0"]), max_size=15).map("".join)
)
odd_names = names | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.dictionaries(odd_names, values))
@example({"a": "\n", "b": "\n\n", "c": " \n \n", "d": "\\\n#\n!", "#e": "=", "f g:=!": ":"})
def test_what_is_written_is_read_back(properties: dict[str, str]) -> None:
    text = format_properties(properties)
    assert {entry.name: entry.value for entry in parse_properties(text, "x")} == properties
    assert javaproperties.loads(text) == properties


@given(st.dictionaries(odd_names, values), st.booleans())
def test_what_java_writes_is_read(properties: dict[str, str], ascii_only: bool) -> None:
    text = javaproperties.dumps(properties, ensure_ascii=ascii_only)
    assert {entry.name: entry.value for entry in parse_properties(text, "x")} == properties


@given(texts)
@example("a=1\\\n\nb=2")
@example("\\\n#a=1")
@example("\\")
@example("\ufeff\ufeff")
def test_whatever_is_well_formed_is_read_as_java_does(text: str) -> None:
    assume(NOT_AS_JAVA.search(text) is None)
    # One mark of the byte order is none of the text's; Java leaves that to whoever decodes.
    lines = javaproperties.parse(text.removeprefix("\ufeff"))
    expected = [(line.key, line.value) for line in lines if isinstance(line, javaproperties.KeyValue)]
    found = attempt(lambda: parse_properties(text, "x"))
    if isinstance(found, AdminError):
        assert any(not name or LONE_SURROGATE.search(name + value) for name, value in expected)
    else:
        assert [(entry.name, entry.value) for entry in found] == expected


@given(any_text, st.booleans())
def test_any_text_gives_entries_or_words(text: str, raw: bool) -> None:
    found = attempt(lambda: parse_properties(text, "x", raw=raw))
    if isinstance(found, AdminError):
        assert found.code == "properties-invalid"
        assert found.message.startswith("x:")
    else:
        assert all(entry.name for entry in found)


@given(st.dictionaries(names, values.filter(lambda value: not set(value) & set("\r\n"))))
def test_a_listing_is_read_back_raw(properties: dict[str, str]) -> None:
    listing = "".join(f"{name}={value}\n" for name, value in properties.items())
    assert {entry.name: entry.value for entry in parse_properties(listing, "x", raw=True)} == properties
