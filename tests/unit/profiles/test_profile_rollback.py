"""Rolling back and comparing."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.profiles.comparison import compare, compare_defaults
from omeroadmin.profiles.history import read_history, revision_number
from omeroadmin.profiles.reader import read_content
from omeroadmin.profiles.rollback import plan_rollback, roll_back
from omeroadmin.profiles.state import StateChange
from omeroadmin.profiles.store import activate_profile, read_profile, update_profile
from tests.support.history import as_another_tool, assert_agrees, causes, numbers
from tests.support.profiles import config_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Revisions: 1 a=1 in default, 2 b=2 in ldap, 3 ldap is active, 4 a=3 in default, 5 omero.db.host in ldap."""
    file = config_file(tmp_path)
    update_profile(file, {"a": "1"}, profile="default")
    update_profile(file, {"b": "2"}, profile="ldap")
    activate_profile(file, "ldap")
    update_profile(file, {"a": "3"}, profile="default")
    update_profile(file, {"omero.db.host": "there"}, profile="ldap")
    return file


def words(change: StateChange) -> list[str]:
    """A change as short words."""
    return [
        f"{changes.profile}:{item.sign}{item.name}:{item.old}:{item.new}"
        for changes in change.profiles
        for item in changes.properties
    ]


def test_rollback_is_planned_done_and_a_revision(file: Path) -> None:
    plan = plan_rollback(file, 1)
    assert (plan.active, plan.dropped) == (("ldap", "default"), ("ldap",))
    assert words(plan) == ["default:~a:3:1", "ldap:-b:2:None", "ldap:-omero.db.host:there:None"]
    assert roll_back(file, 1, cause="config rollback") == plan
    assert read_content(file).blocks == {"default": {"omero.config.version": "5.1.0", "a": "1"}}
    assert read_content(file).active == "default"
    assert not roll_back(file, 1)
    assert numbers(file) == [1, 2, 3, 4, 5, 6]
    assert causes(file)[-1] == "config rollback"
    roll_back(file, 5)
    assert assert_agrees(file).present == read_history(file).state(5)


def test_one_profile_alone(file: Path) -> None:
    assert words(roll_back(file, 2, "ldap")) == ["ldap:-omero.db.host:there:None"]
    assert read_content(file).active == "ldap"
    assert read_profile(file, "default").values == {"a": "3"}
    change = roll_back(file, 1, "ldap")
    assert not change.dropped  # the active one stays, empty
    assert read_profile(file, "ldap").values == {}
    activate_profile(file, "default")
    assert roll_back(file, 1, "ldap").dropped == ("ldap",)
    assert not roll_back(file, 8, "default")
    with pytest.raises(AdminError) as caught:
        roll_back(file, 1, "never.was")
    assert caught.value.code == "profile-unknown"
    with pytest.raises(AdminError) as caught:
        plan_rollback(file, 1, "__ACTIVE__")
    assert caught.value.code == "profile-reserved"


def test_unknown_revisions(file: Path) -> None:
    for action in (roll_back, plan_rollback):
        with pytest.raises(AdminError, match="those from 0 to 5 are there") as caught:
            action(file, 6)
        assert caught.value.code == "revision-unknown"


def test_what_another_tool_did_is_recorded_before_it_is_rolled_back(file: Path) -> None:
    as_another_tool(file, ("theirs", "1"))
    roll_back(file, 5, cause="config rollback")
    assert causes(file)[-2:] == ["changed by another tool", "config rollback"]
    roll_back(file, 6)
    assert read_profile(file, "ldap").values["theirs"] == "1"


def test_rolling_back_to_an_old_format_keeps_todays(tmp_path: Path) -> None:
    old = "<property name='omero.config.version' value='4.2.0'/><property name='omero.ldap.base' value='${x}'/>"
    file = config_file(tmp_path, f"<icegrid><properties id='default'>{old}</properties></icegrid>")
    update_profile(file, {"a": "1"})
    roll_back(file, 0)
    assert read_content(file).blocks == {"default": {"omero.config.version": "5.1.0", "omero.ldap.base": "@{x}"}}
    assert not roll_back(file, 0)


def test_what_is_no_property_stays(tmp_path: Path) -> None:
    known = "<icegrid><variable name='v' value='1'/><properties id='default'><!-- why --></properties></icegrid>"
    file = config_file(tmp_path, known)
    update_profile(file, {"a": "1"})
    roll_back(file, 0)
    assert '<variable name="v" value="1" />' in file.read_text()
    assert "<!-- why -->" in file.read_text()


@pytest.mark.parametrize(
    ("given", "old", "new", "expected"),
    [
        ([], "revision 4", "revision 5", ["ldap:+omero.db.host:None:there"]),
        (["4"], "revision 4", "now", ["ldap:+omero.db.host:None:there"]),
        (["1", "@4"], "revision 1", "revision 4", ["default:~a:1:3", "ldap:+b:None:2"]),
        (["4", "1"], "revision 4", "revision 1", ["default:~a:3:1", "ldap:-b:2:None"]),
        (["default"], "profile default", "profile ldap",
         ["ldap:-a:3:None", "ldap:+b:None:2", "ldap:+omero.db.host:None:there"]),
        (["ldap", "default"], "profile ldap", "profile default",
         ["default:+a:None:3", "default:-b:2:None", "default:-omero.db.host:there:None"]),
        (["2", "default"], "profile default of revision 2", "profile default", ["default:~a:1:3"]),
        (["default", "2"], "profile default", "profile default of revision 2", ["default:~a:3:1"]),
        (["5", "5"], "revision 5", "revision 5", []),
    ],
)  # fmt: skip
def test_comparisons(file: Path, given: list[str], old: str, new: str, expected: list[str]) -> None:
    found = compare(file, given)
    assert (found.old, found.new, words(found.change)) == (old, new, expected)


def test_a_profile_with_a_number_for_a_name_wins(file: Path) -> None:
    update_profile(file, {"c": "1"}, profile="2")
    assert compare(file, ["2"]).old == "profile 2"
    assert compare(file, ["@2"]).old == "revision 2"


def test_the_last_change_may_be_another_tools(file: Path) -> None:
    as_another_tool(file, ("theirs", "1"))
    assert words(compare(file, []).change) == ["ldap:+theirs:None:1"]
    assert compare(file, []).new == "now"


def test_comparison_with_defaults(file: Path) -> None:
    update_profile(file, {"omero.db.port": "5432"}, profile="ldap")
    found = compare_defaults(file)
    assert (found.old, found.new) == ("defaults", "profile ldap")
    assert words(found.change) == ["ldap:+b:None:2", "ldap:~omero.db.host:localhost:there"]
    assert words(compare_defaults(file, "default").change) == ["default:+a:None:3"]
    assert words(compare_defaults(file, "1").change) == ["default:+a:None:1"]


@pytest.mark.parametrize("given", [["nowhere"], ["-1"], ["@"], ["1.5"]])
def test_what_cannot_be_compared(file: Path, given: list[str]) -> None:
    with pytest.raises(AdminError) as caught:
        compare(file, given)
    assert caught.value.code == "comparison-unknown"
    with pytest.raises(AdminError) as caught:
        compare_defaults(file, given[0])
    assert caught.value.code == "comparison-unknown"
    with pytest.raises(AdminError) as caught:
        revision_number(given[0])
    assert caught.value.code == "revision-invalid"


def test_nothing_to_compare(tmp_path: Path) -> None:
    assert not compare(config_file(tmp_path), []).change
    with pytest.raises(AdminError) as caught:
        compare(config_file(tmp_path), ["1", "2", "3"])
    assert caught.value.code == "comparison-unknown"
