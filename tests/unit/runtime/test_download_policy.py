"""Who may have the bytes of files: what the property's description promises, for each kind of user."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from omeroadmin.runtime.services.blitz.services.actor import Actor, Membership
from omeroadmin.runtime.services.blitz.services.filestore.policy import DownloadPolicy
from omeroadmin.runtime.services.blitz.services.privileges import ALL

READ_ONLY = -56


def actor(user_id: int, *, admin: bool = False) -> Actor:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    own = Membership(5, "lab", READ_ONLY, is_leader=False)
    groups = (own, Membership(0, "system", -120, is_leader=False)) if admin else (own,)
    return Actor(1, "k" * 36, user_id, "u", "", moment, moment, 0, 0, groups, privileges=ALL if admin else frozenset())


OWNER, MEMBER, ADMIN = actor(7), actor(8), actor(9, admin=True)


def allowed(server: str, *, group: str | None = None, image: bool = False) -> tuple[bool, bool, bool]:
    row = {"owner_id": 7, "group_id": 5, "group_permissions": READ_ONLY, "group_policy": group, "of_image": image}
    policy = DownloadPolicy(server)
    return policy.allows(OWNER, row), policy.allows(MEMBER, row), policy.allows(ADMIN, row)


@pytest.mark.parametrize(
    ("server", "file", "image"),
    [
        ("+read,+write,+image", (True, True, True), (True, True, True)),
        ("-read,+write,+image,-plate", (True, False, True), (True, False, True)),
        ("+read, +write, -image", (True, True, True), (False, False, False)),
        ("+read,+write", (True, True, True), (False, False, False)),
        ("+read,-read,+write,-write,+image", (False, False, False), (False, False, False)),
        ("+write,+image", (True, False, True), (True, False, True)),
    ],
)
def test_the_servers_policy(server: str, file: tuple[bool, ...], image: tuple[bool, ...]) -> None:
    assert (allowed(server), allowed(server, image=True)) == (file, image)


def test_a_group_can_only_forbid_more() -> None:
    usual = "+read,+write,+image"
    assert allowed(usual, group="-read,+write,+image") == (True, False, True)
    assert allowed("-read,+write,+image", group=usual) == (True, False, True)
    assert allowed(usual, group="+read,+write", image=True) == (False, False, False)
