"""Names and numbers of users and groups on a host."""

from __future__ import annotations

import grp
import pwd

from omeroadmin.provisioning.agent.change import HostError


def user_number(user: str) -> int:
    """Number of a user given by name or number.

    :raises HostError: ``host-user-unknown``
    """
    if user.isdigit():
        return int(user)
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise HostError("host-user-unknown", f"there is no user {user}") from None


def group_number(group: str) -> int:
    """Number of a group given by name or number.

    :raises HostError: ``host-group-unknown``
    """
    if group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise HostError("host-group-unknown", f"there is no group {group}") from None


def user_name(number: int) -> str:
    """Name of a user, else the number."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group_name(number: int) -> str:
    """Name of a group, else the number."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def same_user(wished: str, present: str) -> bool:
    """Whether a wished owner, by name or number, is the present one."""
    return wished == present or (wished.isdigit() and present == user_name(int(wished)))


def same_group(wished: str, present: str) -> bool:
    """Whether a wished group, by name or number, is the present one."""
    return wished == present or (wished.isdigit() and present == group_name(int(wished)))
