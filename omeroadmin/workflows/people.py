"""Finds users and groups by ids and names, creates them and changes who is in which group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.people import Group, User, groups_of, read_group, read_user, users_of
from omeroadmin.errors import AdminError, configuration_error, failed_error, usage_error

_MOST_AT_ONCE = 1000
_HIGHEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Selection:
    """Users or groups as they were typed.

    :param either: ids or names
    """

    either: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.either or self.ids or self.names)


@dataclass(frozen=True)
class NewUser:
    """A user to be created.

    :param details: by the names of the API: ``name``, ``first_name``, ``last_name``, and what else is known
    :param privileges: of an administrator; ``None``: all that whoever creates it has
    :param password: ``None``: without
    """

    details: dict[str, str]
    groups: Selection
    admin: bool = False
    privileges: tuple[str, ...] | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Moved:
    """Users who were put into a group or taken out of it.

    :param changed: ids of users
    :param unchanged: ids of those who were in it, or not in it, already
    """

    group: Group
    changed: tuple[int, ...]
    unchanged: tuple[int, ...]


@dataclass(frozen=True)
class LevelChange:
    """A change of a group's permissions.

    :param removed: what the new ones don't permit: how many links or regions of interest of each type
    """

    group_id: int
    name: str
    before: str
    after: str
    removed: dict[str, int]


def find_users(client: Client, selection: Selection) -> list[User]:
    """Users, each once: those of ids or names, then those of ids, then those of names.

    :raises AdminError: ``user-unknown``, ``user-ambiguous``, ``id-invalid`` and what :meth:`Client.get` raises
    """
    found = users_of(client, ids=_possible_ids("user", selection), names=(*selection.either, *selection.names))
    return _sorted_out("user", selection, found)


def find_groups(client: Client, selection: Selection) -> list[Group]:
    """Groups, each once: those of ids or names, then those of ids, then those of names.

    :raises AdminError: ``group-unknown``, ``group-ambiguous``, ``id-invalid`` and what :meth:`Client.get` raises
    """
    found = groups_of(client, ids=_possible_ids("group", selection), names=(*selection.either, *selection.names))
    return _sorted_out("group", selection, found)


def groups_of_user(client: Client, users: Sequence[User]) -> list[Group]:
    """All groups of the user who was named, the group ``user`` among them.

    :raises AdminError: ``selection-invalid`` where it isn't one user, and what :meth:`Client.get` raises
    """
    if len(users) != 1:
        raise usage_error("selection-invalid", "Too many user arguments", "name one user")
    return groups_of(client, ids=sorted(users[0].group_ids))


def users_of_groups(client: Client, groups: Sequence[Group]) -> list[User]:
    """All users of the group that was named.

    :raises AdminError: ``selection-invalid`` where it isn't one group, and what :meth:`Client.get` raises
    """
    if len(groups) != 1:
        raise usage_error("selection-invalid", "Too many group arguments", "name one group")
    return users_of(client, ids=sorted((*groups[0].owners, *groups[0].members)))


def add_user(client: Client, wish: NewUser, *, ignore_existing: bool = False) -> tuple[User, bool]:
    """Create a user.

    :param ignore_existing: one of this name is as good
    :return: the user, and whether it is new
    :raises AdminError: ``user-exists``, what :func:`find_groups` raises, and the server's refusals
    """
    name = wish.details["name"]
    groups = find_groups(client, wish.groups)
    document = {
        **{key: value for key, value in wish.details.items() if value},
        "groups": [group.id for group in groups],
        "admin": wish.admin,
        "privileges": None if wish.privileges is None else list(wish.privileges),
        "password": wish.password,
    }
    found = existing_user(client, name)
    if found is None:
        try:
            return read_user(client, client.post("/users", document)), True
        except AdminError as error:
            # Somebody else may have been faster.
            found = existing_user(client, name) if error.code == "user-exists" else None
            if found is None:
                raise
    if not ignore_existing:
        raise configuration_error("user-exists", f"User exists: {name} (id={found.id})")
    return found, False


def existing_user(client: Client, name: str) -> User | None:
    """The user of a name, if there is one.

    :raises AdminError: what :meth:`Client.get` raises
    """
    return next(iter(users_of(client, names=[name.strip()])), None)


def add_group(
    client: Client, name: str, *, permissions: str, description: str = "", ignore_existing: bool = False
) -> tuple[Group, bool]:
    """Create a group.

    :param permissions: e.g. ``rwr---``
    :param ignore_existing: one of this name is as good
    :return: the group, and whether it is new
    :raises AdminError: ``group-exists`` and the server's refusals
    """
    document = {"name": name, "permissions": permissions, "description": description}
    found = next(iter(groups_of(client, names=[name.strip()])), None)
    if found is None:
        try:
            return read_group(client, client.post("/groups", document)), True
        except AdminError as error:
            found = next(iter(groups_of(client, names=[name.strip()])), None) if error.code == "group-exists" else None
            if found is None:
                raise
    if not ignore_existing:
        raise configuration_error("group-exists", f"Group exists: {name} (id={found.id})")
    return found, False


def move(
    client: Client, groups: Iterable[Group], user_ids: Sequence[int], *, add: bool, as_owner: bool
) -> Iterator[Moved]:
    """Put users into groups or take them out.

    :param add: put them in
    :param as_owner: as owners; those who are taken out of the owners stay members
    :return: each group when it is done
    :raises AdminError: the server's refusals; groups before the one that is refused are done
    """
    for group in groups:
        path = f"/groups/{group.id}/members" + ("" if add else "/remove")
        changed: set[int] = set()
        for begin in range(0, len(user_ids), _MOST_AT_ONCE):
            some = list(user_ids[begin : begin + _MOST_AT_ONCE])
            changed.update(client.post(path, {"users": some, "as_owner": as_owner})["changed"])
        ids = tuple(dict.fromkeys(user_ids))
        yield Moved(
            group,
            tuple(number for number in ids if number in changed),
            tuple(number for number in ids if number not in changed),
        )


def change_level(client: Client, group: Group, permissions: str, *, dry_run: bool) -> LevelChange:
    """Change a group's permissions, or tell what that would remove.

    :param permissions: e.g. ``rwr---``
    :raises AdminError: ``data-inseparable`` and the server's other refusals
    """
    document: dict[str, Any] = client.put(
        f"/groups/{group.id}/permissions", {"permissions": permissions, "dry_run": dry_run}
    )
    return LevelChange(**document)


def set_password(client: Client, user: User, *, password: str, current_password: str) -> None:
    """Set a user's password.

    :param current_password: of the session's user
    :raises AdminError: ``password-wrong``, ``password-needs-tls`` and the server's refusals
    """
    if not client.address.tls:
        from omeroadmin.access.problems import password_needs_tls

        raise password_needs_tls(client.address)
    try:
        client.put(f"/users/{user.id}/password", {"password": password, "current_password": current_password})
    except AdminError as error:
        if error.code != "authentication-failed":
            raise
        raise configuration_error(
            "password-wrong", "the password of your own user is wrong; nothing was changed", "type your own one first"
        ) from None


def _possible_ids(what: str, selection: Selection) -> list[int]:
    for text in selection.ids:
        if not _is_id(text):
            raise usage_error("id-invalid", f"Not a valid {what} ID: {text}", "an id is a whole number")
    return [int(text) for text in (*selection.ids, *selection.either) if _is_id(text)]


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= _HIGHEST_ID


def _sorted_out(what: str, selection: Selection, found: Sequence[Any]) -> list[Any]:
    by_id = {one.id: one for one in found}
    by_name = {one.name: one for one in found}
    wanted: list[tuple[str, Any]] = []
    for text in selection.either:
        numbered, named = by_id.get(int(text)) if _is_id(text) else None, by_name.get(text)
        if numbered is not None and named is not None and numbered is not named:
            raise usage_error(
                f"{what}-ambiguous",
                f"Ambiguous {what} identifier: {text}",
                f"say --{what}-id {text} or --{what}-name {text}",
            )
        wanted.append((text, named or numbered))
    wanted += [(text, by_id.get(int(text))) for text in selection.ids]
    wanted += [(text, by_name.get(text)) for text in selection.names]
    for text, one in wanted:
        if one is None:
            raise failed_error(f"{what}-unknown", f"Unknown {what}: {text}", f"see them all: omero {what} list")
    return list({one.id: one for _, one in wanted}.values())
