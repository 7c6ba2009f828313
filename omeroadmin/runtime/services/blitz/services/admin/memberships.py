"""Who is in which group, who owns it, and which group is a user's default."""

from __future__ import annotations

from collections.abc import Sequence

from omeroadmin.runtime.services.blitz.database import Connection, Database, next_id
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, USER_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.admin.facts import Standing, group_name, next_index, standing, standings
from omeroadmin.runtime.services.blitz.services.admin.rules import (
    require_joinable,
    require_leavable,
    require_not_above,
    require_over_group,
    require_own_account,
    require_privilege,
)
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict, invalid

_ADD = Privilege.MODIFY_GROUP_MEMBERSHIP


class Memberships:
    """Changes the table ``groupexperimentermap``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, actor: Actor, group_id: int, user_ids: Sequence[int], *, as_owner: bool) -> list[int]:
        """Put users into a group, all or none; one who becomes an owner is a member, too.

        Joining the group ``user`` makes a user active again, joining ``system`` makes an administrator.

        :return: users for whom that changed anything
        :raises AdminError: ``permission-denied``, ``not-found``, ``role-protected``
        """
        changed, inserted, updated = [], [], []
        with self._database.transaction() as connection:
            name = group_name(connection, group_id)
            require_over_group(actor, _ADD, group_id, f"change who is in the group {name}")
            for user in standings(connection, user_ids):
                require_joinable(user.id, group_id, as_owner=as_owner)
                if group_id == SYSTEM_GROUP:
                    require_not_above(actor, user.left_privileges, f"make {user.name} such an administrator")
                if group_id not in user.groups:
                    inserted.append(join(connection, user.id, group_id, as_owner=as_owner))
                elif as_owner and group_id not in user.owned:
                    updated += _own(connection, user, group_id, is_owner=True)
                else:
                    continue
                changed.append(user.id)
            self._log(connection, actor, group_id, changed, {"INSERT": inserted, "UPDATE": updated})
        return changed

    def remove(self, actor: Actor, group_id: int, user_ids: Sequence[int], *, as_owner: bool) -> list[int]:
        """Take users out of a group, all or none; as owners only, they stay its members.

        Leaving the group ``user`` makes a user inactive: its sessions end, and it can't log in.

        :return: users for whom that changed anything
        :raises AdminError: ``permission-denied``, ``not-found``, ``role-protected``, ``last-group``
        """
        changed, deleted, updated = [], [], []
        with self._database.transaction() as connection:
            name = group_name(connection, group_id)
            require_over_group(actor, _ADD, group_id, f"change who is in the group {name}")
            for user in standings(connection, user_ids):
                if group_id not in (user.owned if as_owner else user.groups):
                    continue
                if as_owner:
                    updated += _own(connection, user, group_id, is_owner=False)
                else:
                    _require_leaving(actor, user, group_id)
                    deleted += _leave(connection, user, group_id)
                changed.append(user.id)
            self._log(connection, actor, group_id, changed, {"DELETE": deleted, "UPDATE": updated})
        return changed

    def set_default_group(self, actor: Actor, user_id: int, group_id: int) -> None:
        """Let a user's new data go to one of its groups unless another is chosen.

        :raises AdminError: ``permission-denied``, ``not-found``, ``group-not-joined``, ``request-invalid``
        """
        if user_id != actor.user_id:
            require_privilege(actor, Privilege.MODIFY_USER, "choose the default group of others")
        require_own_account(actor, "choose a default group")
        if group_id == USER_GROUP:
            raise invalid("the group user is nobody's default: data never goes to it")
        with self._database.transaction() as connection:
            user = standing(connection, user_id)
            if group_id not in user.groups:
                raise conflict("group-not-joined", f"user {user.name} is not in group {group_id}")
            order = [group_id, *(other for other in user.groups if other != group_id)]
            changed = connection.execute(
                "UPDATE groupexperimentermap m SET child_index = o.position - 1"
                " FROM unnest(%s::bigint[]) WITH ORDINALITY AS o (parent, position)"
                " WHERE m.child = %s AND m.parent = o.parent RETURNING m.id",
                (order, user_id),
            ).fetchall()
            changes = Changes(connection, actor)
            changes.log("UPDATE", "GroupExperimenterMap", [row["id"] for row in changed])
            changes.log("UPDATE", "Experimenter", [user_id])

    def _log(
        self,
        connection: Connection,
        actor: Actor,
        group_id: int,
        users: Sequence[int],
        maps: dict[str, list[int]],
    ) -> None:
        if not users:
            return
        changes = Changes(connection, actor)
        for action, ids in maps.items():
            changes.log(action, "GroupExperimenterMap", ids)
        changes.log("UPDATE", "Experimenter", users)
        changes.log("UPDATE", "ExperimenterGroup", [group_id])


def join(connection: Connection, user_id: int, group_id: int, *, as_owner: bool) -> int:
    """Put a locked or new user into a group that it isn't in, behind its other groups.

    :return: id of the membership
    """
    number = next_id(connection, "groupexperimentermap")
    connection.execute(
        "INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)"
        " VALUES (%s, -52, 0, %s, %s, %s, %s)",
        (number, group_id, user_id, next_index(connection, user_id), as_owner),
    )
    return number


def _require_leaving(actor: Actor, user: Standing, group_id: int) -> None:
    require_leavable(actor, user.id, group_id, [group for group in user.groups if group != group_id])
    if group_id in (SYSTEM_GROUP, USER_GROUP):
        require_not_above(actor, user.privileges, f"take away what the administrator {user.name} may")


def _leave(connection: Connection, user: Standing, group_id: int) -> list[int]:
    rows = connection.execute(
        "DELETE FROM groupexperimentermap WHERE parent = %s AND child = %s RETURNING id", (group_id, user.id)
    ).fetchall()
    return [row["id"] for row in rows]


def _own(connection: Connection, user: Standing, group_id: int, *, is_owner: bool) -> list[int]:
    rows = connection.execute(
        "UPDATE groupexperimentermap SET owner = %s, version = coalesce(version, 0) + 1"
        " WHERE parent = %s AND child = %s RETURNING id",
        (is_owner, group_id, user.id),
    ).fetchall()
    return [row["id"] for row in rows]
