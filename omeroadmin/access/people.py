"""Users and groups as a server tells of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.problems import not_understood

_PAGE = 5000
_MOST_CHOSEN = 1000
"""How many ids or names a request may ask for."""


@dataclass(frozen=True)
class User:
    """A user.

    :param name: of login
    :param active: whether the user may log in
    :param privileges: of an administrator
    :param default_group: id of the group that new data goes to; ``None``: the user has none
    :param member_of: ids of groups, but for ``user`` and ``system``, that the user doesn't own
    :param owner_of: ids of groups that the user owns
    """

    id: int
    name: str
    first_name: str
    middle_name: str
    last_name: str
    email: str
    institution: str
    ldap: bool
    active: bool
    admin: bool
    privileges: tuple[str, ...]
    default_group: int | None
    member_of: tuple[int, ...]
    owner_of: tuple[int, ...]

    @property
    def full_name(self) -> str:
        """First, middle and last name."""
        return " ".join(name for name in (self.first_name, self.middle_name, self.last_name) if name)

    @property
    def group_ids(self) -> frozenset[int]:
        """Ids of all groups."""
        special = ([1] if self.active else []) + ([0] if self.admin else [])
        return frozenset((*special, *self.member_of, *self.owner_of))


@dataclass(frozen=True)
class Group:
    """A group.

    :param permissions: as a text, e.g. ``rwra--``
    :param level: ``private``, ``read-only``, ``read-annotate`` or ``read-write``
    :param owners: ids of users
    :param members: ids of users who aren't owners
    """

    id: int
    name: str
    description: str
    ldap: bool
    permissions: str
    level: str
    owners: tuple[int, ...]
    members: tuple[int, ...]


def read_user(client: Client, document: Any) -> User:
    """A user in an answer.

    :raises AdminError: ``answer-invalid``
    """
    return User(**_values(client, "user", User.__dataclass_fields__, document))


def read_group(client: Client, document: Any) -> Group:
    """A group in an answer.

    :raises AdminError: ``answer-invalid``
    """
    return Group(**_values(client, "group", Group.__dataclass_fields__, document))


def all_users(client: Client) -> Iterator[User]:
    """Everybody, in the order of their ids.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return (read_user(client, item) for item in client.pages("/users", "users", page=_PAGE, start=-1))


def all_groups(client: Client) -> Iterator[Group]:
    """Every group, in the order of their ids.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return (read_group(client, item) for item in client.pages("/groups", "groups", page=_PAGE, start=-1))


def users_of(client: Client, *, ids: Iterable[int] = (), names: Iterable[str] = ()) -> list[User]:
    """Those users that exist of some ids and names.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return [read_user(client, item) for item in _chosen(client, "users", ids, names)]


def groups_of(client: Client, *, ids: Iterable[int] = (), names: Iterable[str] = ()) -> list[Group]:
    """Those groups that exist of some ids and names.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return [read_group(client, item) for item in _chosen(client, "groups", ids, names)]


def _chosen(client: Client, what: str, ids: Iterable[int], names: Iterable[str]) -> Iterator[dict[str, Any]]:
    wanted: list[tuple[str, int | str]] = [("id", number) for number in ids]
    wanted += [("name", name) for name in names]
    seen: set[int] = set()
    for begin in range(0, len(wanted), _MOST_CHOSEN):
        some = wanted[begin : begin + _MOST_CHOSEN]
        asked = {f"{kind}s": [value for other, value in some if other == kind] for kind in ("id", "name")}
        document = client.post(f"/{what}/lookup", asked)
        for item in client.items(document, what):
            if item.get("id") not in seen:
                seen.add(int(item["id"]))
                yield item


def _values(client: Client, what: str, names: Iterable[str], document: Any) -> dict[str, Any]:
    if not isinstance(document, dict) or not set(names) <= set(document):
        raise not_understood(client.address, f"the answer is no {what}")
    return {name: _frozen(document[name]) for name in names}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
