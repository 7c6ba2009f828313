"""Whatever is changed in whatever order: each revision leads to the state that was there, and back to it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.profiles.history import history_file, parse_past, read_history, read_state
from omeroadmin.profiles.revisions import DamagedError
from omeroadmin.profiles.rollback import plan_rollback, roll_back
from omeroadmin.profiles.state import State, applied, difference, digest, state_of
from omeroadmin.profiles.store import activate_profile, drop_profile, update_profile
from tests.property.test_config_xml import names, values
from tests.support.history import as_another_tool, assert_agrees

Expected = TypeVar("Expected", bound=Exception)

profiles = st.sampled_from(["default", "ldap", "12"])
properties = st.dictionaries(st.sampled_from(["a", "b", "omero.db.pass"]) | names, values, max_size=3)
actions: st.SearchStrategy[tuple[str, str, dict[str, str]]] = st.one_of(
    st.tuples(st.just("set"), profiles, properties),
    st.tuples(st.just("remove"), profiles, properties),
    st.tuples(st.just("activate"), profiles, st.just({})),
    st.tuples(st.just("drop"), profiles, st.just({})),
    st.tuples(st.just("other tool"), profiles, properties),
)
states = st.builds(state_of, profiles, st.dictionaries(profiles, properties, max_size=3))


def perform(file: Path, action: str, profile: str, given: dict[str, str]) -> None:
    match action:
        case "set":
            update_profile(file, given, profile=profile)
        case "remove":
            update_profile(file, {}, given, profile=profile)
        case "activate":
            activate_profile(file, profile)
        case "drop" if profile in read_state(file).profiles:
            drop_profile(file, profile)
        case "other tool":
            as_another_tool(file, *given.items())


@settings(deadline=None, max_examples=40)
@given(st.lists(actions, min_size=1, max_size=8))
def test_every_revision_can_be_gone_back_to(sequence: list[tuple[str, str, dict[str, str]]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "config.xml")
        for action, profile, given_properties in sequence:
            perform(file, action, profile, given_properties)
        update_profile(file, {"last": "change"})
        history = assert_agrees(file)
        assert history.past is not None
        for number in range(history.past.base.number, history.revisions[-1].number + 1):
            planned = plan_rollback(file, number)
            assert roll_back(file, number) == planned
            assert read_state(file) == history.state(number)
            assert not roll_back(file, number)
        assert_agrees(file)
        assert [item.number for item in read_history(file).revisions] == list(
            range(1, len(read_history(file).revisions) + 1)
        )


@given(states, states)
def test_a_difference_leads_from_one_state_to_the_other(old: State, new: State) -> None:
    change = difference(old, new)
    assert applied(old, change) == new
    assert bool(change) is (old != new) is (digest(old) != digest(new))
    assert applied(new, difference(new, old)) == old


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=10_000), st.booleans())
def test_no_damage_makes_a_traceback(garbage: bytes, place: int, replace: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "config.xml")
        update_profile(file, {"a": "1"})
        update_profile(file, {"b": "2"}, profile="ldap")
        content = history_file(file).read_bytes()
        place %= len(content)
        spoilt = content[:place] + garbage + content[place + (len(garbage) if replace else 0) :]
        history_file(file).write_bytes(spoilt)
        code = "" if not (found := outcome(lambda: read_history(file).state(0), AdminError)) else found.code
        assert code in ("", "history-damaged", "revision-unknown")
        damage = outcome(lambda: parse_past(spoilt), DamagedError)
        assert "\n" not in str(damage)


def outcome(action: Callable[[], object], expected: type[Expected]) -> Expected | None:
    """The one kind of failure that an action may have."""
    try:
        action()
    except expected as error:
        return error
    return None
