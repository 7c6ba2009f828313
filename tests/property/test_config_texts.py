"""Every language that a profile is exported in gives it back; no text does anything by half."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.profiles.desired.apply import apply_wishes, plan_changes, preview_wishes
from omeroadmin.profiles.desired.environment import environment_wishes, property_of, variable_of
from omeroadmin.profiles.desired.sources import Language, Source, parse_source
from omeroadmin.profiles.editing import editable_text, read_edited
from omeroadmin.profiles.export import ExportFormat, export_text
from omeroadmin.profiles.load import load_properties
from omeroadmin.profiles.properties import parse_properties
from omeroadmin.profiles.reader import RESERVED, Profile
from omeroadmin.profiles.store import read_profile, update_profile
from omeroadmin.schema.catalog import MASK, all_names
from tests.property.test_config_xml import names, values
from tests.support.attempts import attempt

loadable = values.filter(lambda value: value != MASK)
profiles = st.dictionaries(names | st.sampled_from(all_names()), loadable, max_size=6)
expressible = st.dictionaries(
    st.from_regex(r"[A-Za-z0-9]+(_*\.?[A-Za-z0-9]+){0,3}_?", fullmatch=True).filter(lambda name: name not in RESERVED),
    values,
    max_size=6,
)
LANGUAGES = {
    ExportFormat.PROPERTIES: Language.PROPERTIES,
    ExportFormat.YAML: Language.YAML,
    ExportFormat.JSON: Language.JSON,
}
YAML_PIECES = [
    "a", "b", "omero.db.port", "omero.web.apps", "omero", ": ", ":", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "? ",
    "!file ", "!env ", "!x ", "!!map ", "!", "&x ", "*x", "<<", "'", '"', "|", ">", "|2-", "#", "---", "...",
    "%TAG ! x",
    "~", "null", "true", "0600", "1.10", "\t", "é", "\x85", "\u2028", "\ufeff", "\0", "\x7f", "\\x41", "\\", "@", "`",
]  # fmt: skip
texts = st.one_of(
    st.text(),
    st.lists(st.sampled_from(YAML_PIECES), max_size=20).map("".join),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    ).map(json.dumps),
)
documents = st.dictionaries(
    st.sampled_from(["a", "omero.db.port", "omero.web.apps", "omero", "omero.fs.repo.path_rules", "b@d"]) | st.text(),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    ),
    max_size=4,
)


@contextmanager
def a_file(present: Mapping[str, str] | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "config.xml")
        update_profile(file, {"present": "1", **(present or {})})
        yield file


@pytest.mark.parametrize("form", LANGUAGES)
@given(properties=profiles)
@example({"a": "\n"})
@example({"a": "x\x85y\n", "b": " \n x", "c": "x \n", "d": "\n\nx", "e": "---\nx", "f": "\tx\n", "g": "x\r\ny"})
@example({"a": "😀\n", "b": "null", "c": "~", "d": "", "e": "no", "f": "0600", "g": "=", "h": "<<", "i": "\ufeff"})
def test_files_give_the_profile_back(form: ExportFormat, properties: dict[str, str]) -> None:
    text = export_text(properties, form)
    wishes = parse_source(Source("f", LANGUAGES[form]), text, {})
    assert {wish.name: wish.value for wish in wishes} == properties
    assert [wish.name for wish in wishes] == sorted(properties)
    with a_file() as file:
        apply_wishes(file, wishes, prune=bool(properties), force=True)
        assert read_profile(file).values == (properties or {"present": "1"})


@given(profiles)
def test_yaml_and_json_are_so_for_others_too(properties: dict[str, str]) -> None:
    assert yaml.safe_load(export_text(properties, ExportFormat.YAML)) == properties
    assert json.loads(export_text(properties, ExportFormat.JSON)) == properties


@settings(deadline=None, max_examples=30)
@given(expressible)
@example({"a": "it's \\ $HOME `x`\n\n\"\r\n", "b": "-n", "c": "é\u2028"})
def test_a_shell_gives_the_variables_back(properties: dict[str, str]) -> None:
    text = export_text(properties, ExportFormat.ENV)
    script = f"set -a\n{text}env -0\n"
    done = subprocess.run(["sh", "-c", script], env={"LANG": "C.UTF-8"}, capture_output=True, timeout=20, check=True)
    pairs = (line.partition("=") for line in done.stdout.decode().split("\0"))
    wishes = environment_wishes({name: value for name, _, value in pairs})
    assert {wish.name: wish.value for wish in wishes} == properties


@given(st.from_regex(r"[A-Za-z0-9._-]{1,8}", fullmatch=True))
def test_a_variable_is_the_propertys_or_there_is_none(name: str) -> None:
    found = attempt(lambda: variable_of(name))
    if isinstance(found, AdminError):
        assert "-" in name or "._" in name or ".." in name
    else:
        assert property_of(found) == name


@given(st.from_regex(r"[A-Za-z0-9_]{1,8}", fullmatch=True))
def test_every_variable_is_that_of_its_property(rest: str) -> None:
    variable = f"CONFIG_{rest}"
    assert variable_of(property_of(variable)) == variable


@given(profiles, st.booleans())
def test_an_unedited_text_changes_nothing(properties: dict[str, str], force: bool) -> None:
    profile = Profile("default", properties)
    assert read_edited(editable_text(profile), profile, "f", force=force).changes == ()


@given(profiles, profiles)
def test_a_text_edited_at_will_is_the_profile_that_it_says(before: dict[str, str], after: dict[str, str]) -> None:
    text = editable_text(Profile("default", after))
    edited = read_edited(text, Profile("default", before), "f", force=True)
    assert edited.changes == plan_changes(before, after, prune=True)


@given(st.one_of(texts, documents.map(lambda document: yaml.safe_dump(document, allow_unicode=True))))
def test_any_yaml_is_applied_as_a_whole_or_refused_in_words(text: str) -> None:
    assert_whole_or_refused(Language.YAML, text)


@given(st.one_of(texts, documents.map(json.dumps)))
@example('{"\\ud800": "\\ud800"}')
@example('{"a": ["\\ud800"], "a\\ud800": 1}')
@example('{"a": ' + "9" * 5000 + "}")
def test_any_json_is_applied_as_a_whole_or_refused_in_words(text: str) -> None:
    assert_whole_or_refused(Language.JSON, text)


def assert_whole_or_refused(language: Language, text: str) -> None:
    environment = {"x": "1"}
    with a_file({"a": "2"}) as file:
        before = read_profile(file).values
        wishes = attempt(lambda: parse_source(Source("f", language), text, environment))
        if isinstance(wishes, AdminError):
            assert wishes.message.startswith("f:") or language is Language.YAML
            return
        wanted = {wish.name: wish.value for wish in wishes}
        planned = attempt(lambda: preview_wishes(file, wishes, prune=False, force=False))
        done = attempt(lambda: apply_wishes(file, wishes, prune=False, force=False))
        if isinstance(done, AdminError):
            assert isinstance(planned, AdminError)
            assert (planned.code, planned.message) == (done.code, done.message)
            assert read_profile(file).values == before
        else:
            assert planned == done
            expected = {name: value for name, value in {**before, **wanted}.items() if value is not None}
            assert read_profile(file).values == expected
            assert not apply_wishes(file, wishes, prune=False, force=False)


lines = st.lists(
    st.tuples(
        st.sampled_from(["a", "present", "omero.db.port", "omero.db.pass", "omero.config.version", "b@d"]) | st.text(),
        st.sampled_from(["1", "2", "many", MASK, "\\u0000", "\\ud800", "\\u12", "\\"]) | st.text(),
    ).map("=".join),
    max_size=6,
).map("\n".join)


@given(lines | st.text(), st.booleans(), st.booleans(), st.booleans())
def test_any_text_is_loaded_as_a_whole_or_refused_in_words(text: str, raw: bool, overwrite: bool, force: bool) -> None:
    with a_file({"a": "2"}) as file:
        before = file.read_bytes()
        values_before = read_profile(file).values
        entries = attempt(lambda: parse_properties(text, "f", raw=raw))
        if isinstance(entries, AdminError):
            return
        done = attempt(lambda: load_properties(file, entries, overwrite=overwrite, force=force))
        if isinstance(done, AdminError):
            assert done.message.startswith("f:")
            assert file.read_bytes() == before
        else:
            assert read_profile(file).values == {**values_before, **{entry.name: entry.value for entry in entries}}


@given(st.dictionaries(st.text(min_size=1).map(lambda rest: f"CONFIG_{rest}"), st.text(), max_size=4))
@example({"CONFIG_a": os.fsdecode(b"\xff")})
@example({"CONFIG_a=\x85": "b"})
def test_any_environment_is_applied_as_a_whole_or_refused_in_words(environment: dict[str, str]) -> None:
    with a_file() as file:
        before = file.read_bytes()
        done = attempt(lambda: apply_wishes(file, environment_wishes(environment), prune=False, force=False))
        if isinstance(done, AdminError):
            assert file.read_bytes() == before
        else:
            assert len(read_profile(file).values) >= len(environment)
