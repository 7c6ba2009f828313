"""The manual's tables of permissions, cell by cell, and what they rest on."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.services.actor import Actor, Membership
from omeroadmin.runtime.services.blitz.services.levels import (
    Level,
    level_of,
    mask_of,
    parse_permissions,
    permission_text,
)
from omeroadmin.runtime.services.blitz.services.permissions import Action, Holding, may, require
from omeroadmin.runtime.services.blitz.services.privileges import ALL, Privilege, privileges_of
from tests.support.permission_tables import CELLS

ME, OTHER, GROUP = 7, 8, 20


def actor(role: str, level: Level, privileges: frozenset[Privilege] = ALL) -> Actor:
    groups = [Membership(1, "user", -52, is_leader=False)]
    if role == "administrator":
        groups.append(Membership(0, "system", -52, is_leader=False))
    if role in ("owner", "member"):
        groups.append(Membership(GROUP, "lab", mask_of(level), is_leader=role == "owner"))
    moment = datetime(2026, 1, 1)  # noqa: DTZ001 - as the database gives it, UTC
    return Actor(
        1, "key", ME, "me", "", moment, moment, 0, 0, tuple(groups),
        privileges=privileges if role == "administrator" else frozenset(),
    )  # fmt: skip


@pytest.mark.parametrize(("role", "action", "level", "allowed"), CELLS)
def test_data_of_others(role: str, action: str, level: Level, allowed: bool) -> None:
    holding = Holding(OTHER, GROUP, mask_of(level))
    assert may(actor(role, level), Action(action), holding) is allowed


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", ["administrator", "owner", "member"])
def test_ones_own_data(role: str, action: Action, level: Level) -> None:
    allowed = action is not Action.CHANGE_OWNERSHIP or role != "member"
    assert may(actor(role, level), action, Holding(ME, GROUP, mask_of(level))) is allowed


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("action", set(Action) - {Action.VIEW})
def test_restricted_administrators_are_members_where_they_lack_the_privilege(action: Action, level: Level) -> None:
    restricted = actor("administrator", level, frozenset())
    holding = Holding(OTHER, GROUP, mask_of(level))
    assert may(restricted, Action.VIEW, holding)
    assert not may(restricted, action, holding)


def test_a_privilege_is_enough() -> None:
    holding = Holding(OTHER, GROUP, mask_of(Level.PRIVATE))
    assert may(actor("administrator", Level.PRIVATE, frozenset({Privilege.CHGRP})), Action.MOVE, holding)
    assert not may(actor("administrator", Level.PRIVATE, frozenset({Privilege.CHGRP})), Action.DELETE, holding)


def test_the_refusal_names_the_object_and_the_reason() -> None:
    with pytest.raises(
        AdminError, match="you may not delete Image:5: it belongs to another user, in a read-only group"
    ):
        require(actor("member", Level.READ_ONLY), Action.DELETE, "Image:5", Holding(OTHER, GROUP, -56))


def test_the_refusal_tells_strangers_and_owners_why() -> None:
    member = actor("member", Level.READ_ONLY)
    with pytest.raises(AdminError, match="you may not edit data of group 99: you are not in its group"):
        require(member, Action.EDIT, "data of group 99", Holding(ME, 99, -56))
    with pytest.raises(AdminError, match="you may not give away Image:5: only administrators and owners of its group"):
        require(member, Action.CHANGE_OWNERSHIP, "Image:5", Holding(ME, GROUP, -56))


def test_restrictions() -> None:
    assert privileges_of([]) == ALL
    assert privileges_of(["AdminPrivilege:Sudo", "AdminPrivilege:Unheard"]) == ALL - {Privilege.SUDO}


@pytest.mark.parametrize(
    ("text", "mask", "level"),
    [
        ("rw----", -120, Level.PRIVATE),
        ("rwr---", -56, Level.READ_ONLY),
        ("rwra--", -40, Level.READ_ANNOTATE),
        ("rwrw--", -8, Level.READ_WRITE),
        ("rwr-r-", -52, Level.READ_ONLY),
    ],
)
def test_permissions_as_text(text: str, mask: int, level: Level) -> None:
    assert parse_permissions(text) == mask
    assert permission_text(mask) == text
    assert level_of(mask) is level


@given(st.text(max_size=8))
def test_texts_that_are_none(text: str) -> None:
    try:
        mask = parse_permissions(text)
    except AdminError as error:
        assert error.code == "request-invalid"  # noqa: PT017 - most texts are refused, a few are right
    else:
        assert permission_text(mask) == text
