"""What is written to config.xml is read back, by both readers, whatever came before."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.profiles.document import Document
from omeroadmin.profiles.reader import RESERVED, parse_content
from omeroadmin.profiles.store import read_profile, update_profile

names = st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True).filter(lambda name: name not in RESERVED)
values = st.text(
    st.one_of(st.sampled_from("\t\n\r"), st.characters(min_codepoint=32, exclude_categories=["Cs"])), max_size=20
).filter(lambda value: not set(value) & {"\ufffe", "\uffff"})
changes = st.lists(st.dictionaries(names, st.none() | values, max_size=4), max_size=5)
profiles = st.sampled_from(["default", "ldap", "another"])


@contextmanager
def a_file() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory, "config.xml")


@given(st.lists(st.tuples(profiles, changes), max_size=4))
def test_round_trip(edits: list[tuple[str, list[dict[str, str | None]]]]) -> None:
    expected: dict[str, dict[str, str]] = {}
    with a_file() as file:
        for profile, batches in edits:
            for batch in batches:
                wanted = {name: value for name, value in batch.items() if value is not None}
                gone = [name for name, value in batch.items() if value is None]
                update_profile(file, wanted, gone, profile)
                model = expected.setdefault(profile, {})
                model.update(wanted)
                for name in gone:
                    model.pop(name, None)
        for profile, model in expected.items():
            assert list(read_profile(file, profile).values.items()) == list(model.items())
            if file.exists():
                assert Document(file, file.read_bytes()).values(profile) == model


@given(st.dictionaries(names, values, max_size=5))
def test_saving_again_changes_nothing(properties: dict[str, str]) -> None:
    document = Document(Path("x"), None)
    document.change("default", dict(properties))
    content = document.finish()
    assert content is not None
    assert Document(Path("x"), content).finish() is None
    assert parse_content(Path("x"), content).profile("default").values == properties
