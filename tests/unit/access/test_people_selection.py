"""Users, groups and privileges as they are typed."""

from __future__ import annotations

from typing import Any

import pytest

from omeroadmin.access.address import Address
from omeroadmin.access.client import Client
from omeroadmin.errors import AdminError
from omeroadmin.workflows.people import Selection, find_groups
from omeroadmin.workflows.privileges import wanted_privileges


class Known(Client):
    """A client of a server that has these groups."""

    def __init__(self, *groups: tuple[int, str]) -> None:
        super().__init__(Address("localhost", 4064, tls=True))
        self.groups = groups
        self.asked: list[dict[str, Any]] = []

    def post(self, path: str, document: Any = None, *, timeout: float | None = None) -> Any:
        assert path == "/groups/lookup"
        self.asked.append(document)
        blank = {"description": "", "ldap": False, "permissions": "rw----", "level": "private"}
        found = [
            {"id": number, "name": name, "owners": [], "members": [], **blank}
            for number, name in self.groups
            if number in document["ids"] or name in document["names"]
        ]
        return {"groups": found}


SERVER = ((3, "lab"), (4, "5"), (5, "other"), (6, "6"))


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (Selection(("lab",)), [3]),
        (Selection(("4",)), [4]),
        (Selection(("6",)), [6]),
        (Selection(ids=("5",)), [5]),
        (Selection(names=("5",)), [4]),
        (Selection(("other", "3"), ("4",), ("lab",)), [5, 3, 4]),
    ],
)
def test_ids_and_names(selection: Selection, found: list[int]) -> None:
    assert [group.id for group in find_groups(Known(*SERVER), selection)] == found


@pytest.mark.parametrize(
    ("selection", "status", "message"),
    [
        (Selection(("5",)), 2, "Ambiguous group identifier: 5"),
        (Selection(("nothing",)), 5, "Unknown group: nothing"),
        (Selection(("lab", "7")), 5, "Unknown group: 7"),
        (Selection(ids=("lab",)), 2, "Not a valid group ID: lab"),
        (Selection(ids=("9" * 30,)), 2, "Not a valid group ID"),
        (Selection(ids=("-1",)), 2, "Not a valid group ID: -1"),
        (Selection(("²",)), 5, "Unknown group: ²"),
        (Selection(("9" * 30,)), 5, "Unknown group"),
        (Selection(names=("4",)), 5, "Unknown group: 4"),
    ],
)
def test_what_is_not_found_is_named(selection: Selection, status: int, message: str) -> None:
    with pytest.raises(AdminError, match=message) as caught:
        find_groups(Known(*SERVER), selection)
    assert caught.value.exit_status == status


def test_many_are_asked_for_in_pieces() -> None:
    groups = [(number, f"group-{number}") for number in range(3000)]
    client = Known(*groups)
    found = find_groups(client, Selection(names=tuple(name for _, name in groups)))
    assert [group.id for group in found] == list(range(3000))
    assert len(client.asked) == 3


@pytest.mark.parametrize(
    ("only", "restrict", "clear", "wanted"),
    [
        (None, None, None, {"Sudo", "Chown"}),
        ("", None, None, set()),
        ("chgrp, Chown", None, None, {"Chgrp", "Chown"}),
        (None, "SUDO", None, {"Chown"}),
        (None, "Sudo", "Chgrp", {"Chown", "Chgrp"}),
        (None, "Chgrp", None, {"Sudo", "Chown"}),
    ],
)
def test_privileges_after_a_change(only: str | None, restrict: str | None, clear: str | None, wanted: set[str]) -> None:
    assert wanted_privileges(["Sudo", "Chown"], only, restrict, clear) == wanted


@pytest.mark.parametrize(
    ("only", "restrict", "clear", "code"),
    [
        ("Sudo", "Chown", None, "options-conflict"),
        ("Sudo", None, "", "options-conflict"),
        (None, "Sudo", "sudo", "options-conflict"),
        ("Dance", None, None, "privilege-unknown"),
    ],
)
def test_changes_that_cannot_be_meant(only: str | None, restrict: str | None, clear: str | None, code: str) -> None:
    with pytest.raises(AdminError) as caught:
        wanted_privileges([], only, restrict, clear)
    assert caught.value.code == code
