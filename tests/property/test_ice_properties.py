"""What a node writes into a server's configuration file, the server reads."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.grid.properties import one_line, properties_text
from omeroadmin.runtime.kernel.configuration import read_properties

NAMES = st.text("abc.#=\\", min_size=1).filter(lambda name: name == name.strip())
VALUES = st.text(st.characters(exclude_categories=["Cc", "Cs"], include_characters="\n\\#= "))


def read(text: str) -> dict[str, str]:
    with TemporaryDirectory() as directory:
        file = Path(directory) / "config"
        file.write_bytes(text.encode())
        return read_properties(file)


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_values_arrive_as_they_were(properties: dict[str, str]) -> None:
    assert read(properties_text(properties.items())) == {name: one_line(value) for name, value in properties.items()}


@given(VALUES)
def test_a_line_end_is_a_blank(value: str) -> None:
    assert one_line(value) == value.replace("\n", " ")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r"a \# b \ c = d", r"a # b \ c = d"),
        (r"\ \ lead \# trail\ ", "  lead # trail "),
        (r"line3 \\\ ", "line3 \\ "),
        (r"\\\server\share", r"\\server\share"),
        ("share\\", "share\\"),
        (r"y\\\\\#", r"y\\#"),
        (r"y \\= \= \\\#", r"y \= \= \#"),
        ("plain # a comment", "plain"),
        (" \t plain \r", "plain"),
        ("${a} $$ ü", "${a} $$ ü"),
        ("", ""),
    ],
)
def test_values_as_icegrid_writes_them(written: str, value: str) -> None:
    assert read(f"# Server\nname={written}\n# end") == {"name": value}


def test_what_is_no_property() -> None:
    assert read("a=1\nb\n#c=1\nd #=1\na=2\n\n") == {"a": "2"}
