"""What administrators may not do: rows of ``experimenter_config`` called ``AdminPrivilege:NAME``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from omeroadmin.runtime.services.blitz.database import Connection, Database
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.admin.facts import Standing, standing
from omeroadmin.runtime.services.blitz.services.admin.rules import (
    ROOT,
    protected,
    require_not_above,
    require_privilege,
)
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.privileges import CONFIG_PREFIX, Privilege, privileges_of
from omeroadmin.runtime.services.blitz.services.problems import invalid


class Restrictions:
    """Changes what administrators may do."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_privileges(self, actor: Actor, user_id: int, names: Sequence[str]) -> None:
        """Let a user have just some privileges as an administrator.

        They are kept for a user who isn't one, and count when it becomes one.

        :param names: of the privileges that are left; OMERO's names
        :raises AdminError: ``permission-denied``, ``not-found``, ``role-protected``, ``request-invalid``
        """
        wanted = parse_privileges(names)
        with self._database.transaction() as connection:
            user = standing(connection, user_id)
            require_restricting(actor, user, wanted)
            store_restrictions(connection, user_id, frozenset(Privilege) - wanted)
            Changes(connection, actor).log("UPDATE", "Experimenter", [user_id])


def require_restricting(actor: Actor, user: Standing, wanted: frozenset[Privilege]) -> None:
    """Make sure that somebody may leave a user just some privileges.

    A restriction isn't lifted by somebody whom it restricts, too, and nobody takes away what they lack themselves.

    :raises AdminError: ``permission-denied``, ``role-protected``
    """
    require_privilege(actor, Privilege.MODIFY_USER, "change what administrators may")
    if user.id == ROOT and wanted != user.left_privileges:
        raise protected("the user root can't be restricted")
    require_not_above(actor, wanted ^ user.left_privileges, f"change these privileges of {user.name}")


def require_user_change(connection: Connection, actor: Actor, user_id: int) -> None:
    """Make sure that somebody may change what is known of a user: nobody does so with an administrator above.

    :raises AdminError: ``permission-denied``, ``not-found``
    """
    if user_id != actor.user_id:
        user = standing(connection, user_id)
        require_not_above(actor, user.privileges, f"change the administrator {user.name}")


def require_config_change(connection: Connection, actor: Actor, user_id: int, after: Iterable[tuple[str, str]]) -> None:
    """Make sure that somebody may replace all pairs of a user's ``config``, which hold the restrictions.

    :param after: names and values as they will be
    :raises AdminError: ``permission-denied``, ``role-protected``, ``not-found``
    """
    user = standing(connection, user_id)
    wanted = privileges_after(after)
    if wanted == user.left_privileges:
        require_user_change(connection, actor, user_id)
    else:
        require_restricting(actor, user, wanted)


def privileges_after(pairs: Iterable[tuple[str, str]]) -> frozenset[Privilege]:
    """What pairs of a user's ``config`` leave to an administrator."""
    return privileges_of([name for name, value in pairs if name.startswith(CONFIG_PREFIX) and value.lower() != "true"])


def parse_privileges(names: Iterable[str]) -> frozenset[Privilege]:
    """Privileges by OMERO's names for them, in any case.

    :raises AdminError: ``request-invalid``
    """
    known: Mapping[str, Privilege] = {privilege.value.lower(): privilege for privilege in Privilege}
    found = set()
    for name in names:
        privilege = known.get(name.lower())
        if privilege is None:
            raise invalid(f"there is no privilege {name[:80]!r}: {', '.join(Privilege)}")
        found.add(privilege)
    return frozenset(found)


def store_restrictions(connection: Connection, user_id: int, restricted: frozenset[Privilege]) -> None:
    """Keep what a user may not do; other pairs of its ``config`` stay."""
    rows = connection.execute(
        "SELECT name, value FROM experimenter_config WHERE experimenter_id = %s AND NOT starts_with(name, %s)"
        " ORDER BY index",
        (user_id, CONFIG_PREFIX),
    ).fetchall()
    pairs = [(row["name"], row["value"]) for row in rows]
    pairs += [(f"{CONFIG_PREFIX}{privilege.value}", "false") for privilege in sorted(restricted)]
    connection.execute("DELETE FROM experimenter_config WHERE experimenter_id = %s", (user_id,))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO experimenter_config (experimenter_id, name, value, index) VALUES (%s, %s, %s, %s)",
            [(user_id, name, value, index) for index, (name, value) in enumerate(pairs)],
        )
