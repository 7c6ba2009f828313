"""Puts users and groups in the order that the options ask for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from omeroadmin.errors import usage_error

if TYPE_CHECKING:
    from omeroadmin.access.people import Group, User


def sorted_users(users: Iterable[User], wanted: dict[str, bool]) -> list[User]:
    """Users in the order of one field.

    :param wanted: names of fields, and whether the option for each was given
    :raises AdminError: ``options-conflict``
    """
    return _sorted(users, wanted)


def sorted_groups(groups: Iterable[Group], *, by_id: bool, by_name: bool) -> list[Group]:
    """Groups in the order of their ids or names.

    :raises AdminError: ``options-conflict``
    """
    return _sorted(groups, {"id": by_id, "name": by_name})


def count_wanted(*, count: bool, long: bool) -> bool:
    """Whether ``--count`` was given, which excludes ``--long``.

    :raises AdminError: ``options-conflict``
    """
    if count and long:
        raise usage_error("options-conflict", "--count and --long exclude each other", "give one of them")
    return count


def _sorted(items: Iterable[Any], wanted: dict[str, bool]) -> list[Any]:
    fields = [name for name, given in wanted.items() if given] or ["id"]
    if len(fields) > 1:
        raise usage_error("options-conflict", "a list is sorted by one column", "give one of the options --sort-by-…")
    return sorted(items, key=lambda item: getattr(item, fields[0]))
