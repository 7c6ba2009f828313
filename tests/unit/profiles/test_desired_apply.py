"""Applying: which files, which variables, what changes, and nothing by half."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.profiles.changes import PropertyChange
from omeroadmin.profiles.desired.apply import apply_wishes, plan_changes, preview_wishes
from omeroadmin.profiles.desired.environment import environment_wishes, property_of, variable_of
from omeroadmin.profiles.desired.sources import Language, Source, find_sources, parse_source
from omeroadmin.profiles.desired.wish import Wish
from omeroadmin.profiles.history import read_history
from omeroadmin.profiles.store import read_profile, update_profile
from tests.support.profiles import config_file


def test_files_of_a_directory_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("20-b.yml", "10-c.JSON", "3-a.properties", "a.yaml", "README.md", "x.yaml~", ".hidden.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "sub.yaml").mkdir()
    (tmp_path / "b.yaml").symlink_to(tmp_path / ".hidden.yaml")
    found = find_sources([str(tmp_path), "-", "x.Yaml"])
    names = [Path(source.name).name for source in found.files]
    assert names == ["10-c.JSON", "20-b.yml", "3-a.properties", "a.yaml", "b.yaml", "-", "x.Yaml"]
    assert [source.language for source in found.files][:4] == [
        Language.JSON, Language.YAML, Language.PROPERTIES, Language.YAML,
    ]  # fmt: skip
    assert [Path(name).name for name in found.ignored] == ["README.md", "x.yaml~"]


def test_files_whose_names_say_nothing(tmp_path: Path) -> None:
    assert find_sources(["omero.config"], Language.PROPERTIES).files == (Source("omero.config", Language.PROPERTIES),)
    with pytest.raises(AdminError, match=r"omero\.config may hold") as caught:
        find_sources(["omero.config"])
    assert "--format" in caught.value.hint
    with pytest.raises(AdminError) as caught:
        find_sources([str(tmp_path)])
    assert caught.value.code == "directory-without-files"


def test_each_language() -> None:
    texts = {Language.YAML: "a: b", Language.JSON: '{"a": "b"}', Language.PROPERTIES: "a=b"}
    for language, text in texts.items():
        assert parse_source(Source("-", language), text, {}) == [Wish("a", "b", "stdin:1")]
    with pytest.raises(AdminError, match="f:3: 'a' is there twice, with another value; first: f:1"):
        parse_source(Source("f", Language.PROPERTIES), "a=b\na=b\na=c", {})


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("CONFIG_omero_db_host", "omero.db.host"),
        ("CONFIG_omero_web_server__list", "omero.web.server_list"),
        ("CONFIG_a__b____c", "a_b__c"),
        ("CONFIG__a__", ".a_"),
        ("CONFIG_a___b", "a_.b"),
        ("CONFIG_1", "1"),
    ],
)
def test_names_of_variables(variable: str, name: str) -> None:
    assert property_of(variable) == name
    assert variable_of(name) == variable


@pytest.mark.parametrize("name", ["a..b", "a._b", "a-b", "é", "", "a b"])
def test_names_that_no_variable_can_have(name: str) -> None:
    with pytest.raises(AdminError) as caught:
        variable_of(name)
    assert caught.value.code == "variable-impossible"
    assert repr(name) in caught.value.message
    assert "--format properties" in caught.value.hint


def test_wishes_of_the_environment() -> None:
    environment = {"CONFIG_b": "2", "HOME": "/", "CONFIG_": "x", "config_c": "3", "CONFIG_a__a": ""}
    assert environment_wishes(environment) == [Wish("a_a", "", "CONFIG_a__a"), Wish("b", "2", "CONFIG_b")]


def test_a_plan_is_what_differs() -> None:
    present = {"same": "1", "other": "2", "gone": "3", "mine": "4"}
    wanted = {"same": "1", "other": "5", "gone": None, "new": "", "never": None}
    assert plan_changes(present, wanted, prune=False) == (
        PropertyChange("gone", "3", None),
        PropertyChange("new", None, ""),
        PropertyChange("other", "2", "5"),
    )
    pruned = plan_changes(present, wanted, prune=True)
    assert [change.sign + change.name for change in pruned] == ["-gone", "-mine", "+new", "~other"]


def test_the_second_time_nothing_is_written(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"gone": "1", "mine": "2"})
    wishes = [Wish("a", "1", "f:1"), Wish("a", "2", "g:1"), Wish("gone", None, "f:2")]
    before = file.read_bytes()
    planned = preview_wishes(file, wishes, prune=False, force=False)
    assert file.read_bytes() == before
    assert apply_wishes(file, wishes, prune=False, force=False, cause="config apply") == planned
    assert read_profile(file).values == {"mine": "2", "a": "2"}
    assert [revision.cause for revision in read_history(file).revisions][-1] == "config apply"
    written = file.stat()
    assert not apply_wishes(file, wishes, prune=False, force=False)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)
    apply_wishes(file, wishes, prune=True, force=False)
    assert read_profile(file).values == {"a": "2"}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("omero.db.port", "many", "value-invalid"),
        ("omero.db.pass", "********", "masked-secret"),
        ("b@d", "x", "property-name-invalid"),
        ("b@d", None, "property-name-invalid"),
        ("omero.config.version", "4.2.0", "property-reserved"),
        ("omero.config.version", None, "property-reserved"),
        ("a", "\0", "value-unstorable"),
    ],
)
def test_one_bad_wish_and_nothing_is_applied(tmp_path: Path, name: str, value: str | None, code: str) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    before = file.read_bytes()
    for function in (preview_wishes, apply_wishes):
        with pytest.raises(AdminError) as caught:
            function(file, [Wish("new", "1", "f:1"), Wish(name, value, "f:2")], prune=True, force=False)
        assert caught.value.code == code
        assert caught.value.message.startswith("f:2: ")
    assert file.read_bytes() == before


def test_force_and_what_overrides_a_bad_wish(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    apply_wishes(file, [Wish("omero.db.port", "many", "f:1")], prune=False, force=True)
    apply_wishes(
        file, [Wish("omero.db.port", "many", "f:1"), Wish("omero.db.port", "1", "g:1")], prune=False, force=False
    )
    assert read_profile(file).values == {"omero.db.port": "1"}


def test_nothing_named_prunes_nothing(tmp_path: Path) -> None:
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"})
    with pytest.raises(AdminError) as caught:
        apply_wishes(file, [], prune=True, force=False)
    assert caught.value.code == "wishes-missing"
    assert not apply_wishes(file, [], prune=False, force=False)
    assert read_profile(file).values == {"a": "1"}
