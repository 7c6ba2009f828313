"""Shows and changes what administrators may."""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.access.client import Client
from omeroadmin.access.people import User, read_user
from omeroadmin.errors import configuration_error, usage_error
from omeroadmin.schema.privileges import Privilege

_BY_NAME = {privilege.value.lower(): privilege.value for privilege in Privilege}


def change_privileges(client: Client, user: User, only: str | None, restrict: str | None, clear: str | None) -> User:
    """Leave an administrator the privileges that are wanted; without a wish nothing is changed.

    :param only: names with commas between them: these and no others
    :param restrict: names: these no more
    :param clear: names: these again
    :return: the administrator as it is then
    :raises AdminError: ``admin-needed``, as :func:`wanted_privileges`, and the server's refusals
    """
    if not user.admin:
        raise configuration_error(
            "admin-needed",
            f"{user.name} is no administrator",
            f"make it one: omero user joingroup system --name {user.name}",
        )
    wanted = wanted_privileges(user.privileges, only, restrict, clear)
    if wanted == set(user.privileges):
        return user
    return read_user(client, client.put(f"/users/{user.id}/privileges", {"privileges": sorted(wanted)}))


def wanted_privileges(
    current: Iterable[str], only: str | None, restrict: str | None, clear: str | None
) -> frozenset[str]:
    """Privileges after a change.

    :raises AdminError: ``options-conflict``, ``privilege-unknown``
    """
    if only is not None and (restrict is not None or clear is not None):
        raise usage_error("options-conflict", "--only excludes --restrict and --clear", "give the one or the others")
    taken, given = _names(restrict), _names(clear)
    if taken & given:
        raise usage_error("options-conflict", f"{min(taken & given)} is to be both taken and given", "say it once")
    return _names(only) if only is not None else frozenset(current) - taken | given


def _names(text: str | None) -> frozenset[str]:
    words = [word.strip() for word in (text or "").split(",") if word.strip()]
    for word in words:
        if word.lower() not in _BY_NAME:
            raise usage_error("privilege-unknown", f"there is no privilege {word}", f"one of {', '.join(Privilege)}")
    return frozenset(_BY_NAME[word.lower()] for word in words)
