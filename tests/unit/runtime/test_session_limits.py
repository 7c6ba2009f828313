"""How long sessions live, and who may open one for whom; pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, USER_GROUP, Membership
from omeroadmin.runtime.services.blitz.services.privileges import ALL
from omeroadmin.runtime.services.blitz.services.sessionlimits import Limits
from omeroadmin.runtime.services.blitz.services.sudo import Person, group_number, limited, may_become

MILLISECONDS = st.integers(0, 10**10)
GROUPS = st.lists(
    st.builds(
        Membership, st.sampled_from([SYSTEM_GROUP, USER_GROUP, 2, 3, 4, 5]), st.just("g"), st.just(0), st.booleans()
    ),
    unique_by=lambda membership: membership.group_id,
).map(tuple)


@given(st.builds(Limits, MILLISECONDS, MILLISECONDS, MILLISECONDS, MILLISECONDS), MILLISECONDS, st.booleans())
def test_nobody_gets_more_than_is_allowed(limits: Limits, wanted: int, is_admin: bool) -> None:
    for given_to, hard in ((limits.live, limits.longest), (limits.idle, 0)):
        try:
            got = given_to(wanted, is_admin=is_admin)
        except AdminError:
            continue
        assert got == wanted
        assert not hard or 0 < got <= hard
    if is_admin:
        assert limits.idle(wanted, is_admin=True) == wanted
    assert limits.idle(None, is_admin=False) == limits.default_idle
    assert limits.live(None, is_admin=False) == limits.longest


def test_what_the_server_gives_anyway_may_be_asked_for() -> None:
    limits = Limits(default_idle=600_000, longest=0, user_idle=60_000, user_live=0)
    assert limits.idle(600_000, is_admin=False) == 600_000
    with pytest.raises(AdminError, match=r"for at most 600 seconds here, not 600\.001"):
        limits.idle(600_001, is_admin=False)
    with pytest.raises(AdminError, match="not forever"):
        limits.idle(0, is_admin=False)


@given(GROUPS, GROUPS)
def test_owners_of_groups_never_reach_administrators_or_strangers(
    owner: tuple[Membership, ...], user: tuple[Membership, ...]
) -> None:
    sudoer, other = Person("owner", owner), Person("user", user)
    if sudoer.is_admin:
        return
    led = {m.group_id for m in owner if m.is_leader} - {SYSTEM_GROUP, USER_GROUP}
    allowed = bool(led & {m.group_id for m in user}) and not other.is_admin
    if allowed:
        may_become(sudoer, other)
    else:
        with pytest.raises(AdminError) as caught:
            may_become(sudoer, other)
        assert caught.value.code == "permission-denied"
    reach = {m.group_id for m in limited(user, sudoer.led_groups)}
    assert reach <= led | {USER_GROUP}


@given(GROUPS)
def test_administrators_need_the_privilege_and_no_more(user: tuple[Membership, ...]) -> None:
    system = (Membership(SYSTEM_GROUP, "system", 0, is_leader=False),)
    may_become(Person("root", system, ALL), Person("user", user))
    with pytest.raises(AdminError, match="lacks the privilege Sudo"):
        may_become(Person("light", system, ALL - {"Sudo"}), Person("user", user))


@given(st.text(max_size=30))
def test_only_plain_digits_are_an_id(text: str) -> None:
    number = group_number(text)
    assert number is None or (str(number) == text.lstrip("0") or number == 0)
    assert number is None or number < 2**63
