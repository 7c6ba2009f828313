"""Properties described, found by words, and read from a documented file."""

from __future__ import annotations

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.schema.catalog import MASK, settings
from omeroadmin.schema.describe import describe, first_sentence, search_settings
from omeroadmin.schema.documented import by_section, declared, declared_web, parse_documented


def test_the_value_in_force_is_what_is_set_with_references_expanded() -> None:
    values = {"omero.data.dir": "/data", "omero.db.port": "5433"}
    managed, port = describe(["omero.managed.dir", "omero.db.port"], values)
    assert (managed.value, managed.in_force) == (None, "/data/ManagedRepository")
    assert (port.value, port.in_force, port.default) == ("5433", "5433", "5432")
    assert port.kind == "port"


def test_a_circle_of_references_is_described_unexpanded() -> None:
    (one,) = describe(["omero.managed.dir"], {"omero.managed.dir": "${omero.managed.dir}"})
    assert one.in_force == "${omero.managed.dir}"


def test_secrets_are_masked() -> None:
    (one,) = describe(["omero.db.pass"], {"omero.db.pass": "s3cret"})
    assert (one.value, one.in_force) == (MASK, MASK)
    assert "s3cret" not in str(one)
    (two,) = describe(["omero.ldap.password"], {})
    assert (two.value, two.in_force) == (None, "")


def test_one_service_has_the_general_value_unless_its_own_is_set() -> None:
    general = {"omero.threads.min_threads": "20"}
    (one,) = describe(["omero.threads.min_threads.indexer"], general)
    assert (one.value, one.in_force, one.services) == (None, "20", ())
    (two,) = describe(["omero.threads.min_threads.indexer"], {**general, "omero.threads.min_threads.indexer": "3"})
    assert (two.value, two.in_force) == ("3", "3")


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(AdminError) as caught:
        describe(["omero.db.host", "omero.db.hots"], {})
    assert caught.value.code == "property-unknown"
    assert "omero config describe omero.db.host" in caught.value.hint
    with pytest.raises(AdminError) as caught:
        describe(["nonsense"], {})
    assert "omero config search" in caught.value.hint


def test_words_in_the_name_count_most() -> None:
    names = [setting.name for setting in search_settings(["Poolsize"])]
    assert names[0] == "omero.db.poolsize"
    assert len(names) > 1, "descriptions mention it as well"
    found = search_settings(["ldap", "filter"])
    assert {"omero.ldap.user_filter", "omero.ldap.group_filter"} == {setting.name for setting in found[:2]}
    assert search_settings(["ldap", "nonsense"]) == []


def test_a_sentence_ends_before_a_capital() -> None:
    assert first_sentence("Of example.org, e.g. this. And more.") == "Of example.org, e.g. this."
    assert first_sentence("") == ""


FILE = """\
####
## Remarks
####
# First line
#   indented
#
# last
omero.one=1
omero.two=a=b

# Long
omero.three=a,\\
 b,\\
c
omero.four=
versions.x=1
omero.upgrades.url=x
# DEVELOPMENT
omero.five = 5
### END
omero.six=6
"""


def test_a_documented_file() -> None:
    found = {one.name: one for one in parse_documented(FILE, "file")}
    assert list(found) == ["omero.one", "omero.two", "omero.three", "omero.four", "omero.five"]
    assert found["omero.one"].description == "First line\n  indented\n\nlast"
    assert found["omero.two"].default == "a=b"
    assert found["omero.two"].description == ""
    assert (found["omero.three"].default, found["omero.three"].description) == ("a, b,c", "Long")
    assert found["omero.five"].is_for_developers
    assert not found["omero.one"].is_for_developers


@pytest.mark.parametrize("text", ["nonsense", "# a\n\nomero.x\n"])
def test_a_line_that_is_neither_is_named(text: str) -> None:
    with pytest.raises(AdminError, match="file, line") as caught:
        parse_documented(text, "file")
    assert caught.value.code == "documented-unparsable"


def test_a_file_may_end_in_the_middle_of_a_value() -> None:
    assert parse_documented("omero.x=a\\", "file")[0].default == "a"
    assert parse_documented("", "file") == []


def test_sections_are_those_of_the_neighbours() -> None:
    found = parse_documented("omero.db.new=1\nomero.custom.x=1\nIce.New=1\nother.x=1\nalone=1\n", "file")
    assert [one.section for one in found] == ["Database", "Custom", "Ice", "X", "Alone"]
    assert list(by_section(found)) == ["Alone", "Custom", "Database", "Ice", "X"]


def test_all_are_declared_with_and_without_the_web() -> None:
    assert len(declared()) == len(settings())
    assert len(declared(web=False)) + len(declared_web()) == len(settings())


def test_a_reference_to_a_secret_is_masked() -> None:
    values = {"omero.mail.username": "a-${omero.db.pass}", "omero.db.pass": "s3cret"}
    (found,) = describe(["omero.mail.username"], values)
    assert "s3cret" not in str(found)
    assert found.in_force == f"a-{MASK}"
