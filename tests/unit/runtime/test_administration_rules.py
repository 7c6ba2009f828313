"""Who may change users and groups: nobody gains by it what they lack."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.services.actor import Actor, Membership
from omeroadmin.runtime.services.blitz.services.admin.facts import Standing
from omeroadmin.runtime.services.blitz.services.admin.restrictions import (
    parse_privileges,
    privileges_after,
    require_restricting,
)
from omeroadmin.runtime.services.blitz.services.admin.rules import (
    owns,
    readable_name,
    require_joinable,
    require_leavable,
    require_not_above,
)
from omeroadmin.runtime.services.blitz.services.privileges import ALL, CONFIG_PREFIX, Privilege

SETS = st.frozensets(st.sampled_from(Privilege))


def admin(privileges: frozenset[Privilege], user_id: int = 7) -> Actor:
    moment = datetime(2026, 1, 1)  # noqa: DTZ001 - as the database gives it, UTC
    groups = (Membership(0, "system", -52, is_leader=False), Membership(1, "user", -52, is_leader=False))
    return Actor(1, "key", user_id, "me", "", moment, moment, 0, 0, groups, privileges=privileges)


def user(left: frozenset[Privilege], user_id: int = 9) -> Standing:
    return Standing(user_id, "other", False, (20, 1), frozenset(), left)


@given(SETS, SETS, SETS)
def test_a_change_of_privileges_gives_and_takes_only_what_one_has(
    mine: frozenset[Privilege], before: frozenset[Privilege], after: frozenset[Privilege]
) -> None:
    if Privilege.MODIFY_USER in mine and (before ^ after) <= mine:
        require_restricting(admin(mine), user(before), after)
        return
    with pytest.raises(AdminError, match="you may not"):
        require_restricting(admin(mine), user(before), after)


@given(SETS, SETS)
def test_whoever_is_above_is_left_alone(mine: frozenset[Privilege], theirs: frozenset[Privilege]) -> None:
    if theirs <= mine:
        require_not_above(admin(mine), theirs, "do that")
    else:
        with pytest.raises(AdminError, match="you lack the privilege"):
            require_not_above(admin(mine), theirs, "do that")


@given(SETS)
def test_pairs_tell_what_is_left(taken: frozenset[Privilege]) -> None:
    pairs = [(f"{CONFIG_PREFIX}{name.value}", "false") for name in taken]
    pairs += [(f"{CONFIG_PREFIX}{name.value}", "TRUE") for name in ALL - taken] + [("theme", "false")]
    assert privileges_after(pairs) == ALL - taken


def test_root_is_never_restricted() -> None:
    with pytest.raises(AdminError) as caught:
        require_restricting(admin(ALL), user(ALL, 0), ALL - {Privilege.SUDO})
    assert caught.value.code == "role-protected"


@pytest.mark.parametrize(
    ("user_id", "group", "as_owner"), [(1, 20, False), (1, 0, True), (9, 2, False), (9, 1, True), (0, 1, True)]
)
def test_who_never_joins(user_id: int, group: int, as_owner: bool) -> None:
    with pytest.raises(AdminError) as caught:
        require_joinable(user_id, group, as_owner=as_owner)
    assert caught.value.code == "role-protected"


@pytest.mark.parametrize(
    ("user_id", "group", "left", "code"),
    [
        (0, 0, [1, 20], "role-protected"),
        (0, 1, [0], "role-protected"),
        (1, 2, [], "role-protected"),
        (7, 0, [1, 20], "role-protected"),
        (7, 1, [0, 20], "role-protected"),
        (9, 20, [1], "last-group"),
        (9, 1, [], "last-group"),
    ],
)
def test_who_never_leaves(user_id: int, group: int, left: list[int], code: str) -> None:
    with pytest.raises(AdminError) as caught:
        require_leavable(admin(ALL), user_id, group, left)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("group", "expected"), [(0, False), (1, False), (2, False), (20, True), (21, False), (22, False)]
)
def test_owners_care_for_groups_but_the_servers_own(group: int, expected: bool) -> None:
    leaders = [Membership(number, "group", -120, is_leader=number != 21) for number in (0, 1, 2, 20, 21)]
    moment = datetime(2026, 1, 1)  # noqa: DTZ001 - as the database gives it, UTC
    actor = Actor(1, "key", 7, "me", "", moment, moment, 0, 0, tuple(leaders))
    assert owns(actor, group) is expected


@given(st.text(max_size=300))
def test_names_can_be_shown_or_are_refused(text: str) -> None:
    stripped = text.strip()
    if stripped and len(stripped) <= 255 and stripped.isprintable():
        assert readable_name("the name of a group", text) == stripped
        return
    with pytest.raises(AdminError, match="can be printed"):
        readable_name("the name of a group", text)


def test_privileges_have_omeros_names_in_any_case() -> None:
    assert parse_privileges(["sudo", "MODIFYUSER"]) == {Privilege.SUDO, Privilege.MODIFY_USER}
    with pytest.raises(AdminError, match="there is no privilege 'Dance'"):
        parse_privileges(["Dance"])
