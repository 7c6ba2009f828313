"""Any server string is read back as it was written, and any text is either one or refused."""

from __future__ import annotations

import string

from hypothesis import event, given
from hypothesis import strategies as st

from omeroadmin.access.address import Target, parse_target
from omeroadmin.errors import AdminError

LETTERS = string.ascii_letters + string.digits
NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,30}[A-Za-z0-9])?", fullmatch=True)
HOSTS = st.one_of(NAMES, st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str))
USERS = st.text(st.characters(exclude_categories=["C"], exclude_characters="/"), min_size=1, max_size=20)


@given(
    st.builds(Target, HOSTS, st.none() | st.integers(1, 65535), st.none() | USERS, st.sampled_from([None, True, False]))
)
def test_round_trip(target: Target) -> None:
    assert parse_target(str(target)) == target


@given(st.one_of(st.text(max_size=60), st.text(LETTERS + "@:/[].-", max_size=60)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        target = parse_target(text)
    except AdminError as error:
        event(error.code)
        if error.code not in ("server-invalid", "port-invalid"):
            raise
    else:
        assert parse_target(str(target)) == target
