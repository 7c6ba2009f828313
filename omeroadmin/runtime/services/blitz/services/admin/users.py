"""Creates users and changes what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from omeroadmin.errors import AdminError
from omeroadmin.runtime.services.blitz.database import Connection, Database, next_id
from omeroadmin.runtime.services.blitz.services.actor import SYSTEM_GROUP, USER_GROUP, Actor
from omeroadmin.runtime.services.blitz.services.admin.facts import Standing, require_groups, standing
from omeroadmin.runtime.services.blitz.services.admin.memberships import join
from omeroadmin.runtime.services.blitz.services.admin.passwords import hashed, require_password
from omeroadmin.runtime.services.blitz.services.admin.restrictions import parse_privileges, store_restrictions
from omeroadmin.runtime.services.blitz.services.admin.rules import (
    GUEST,
    GUEST_GROUP,
    ROOT,
    protected,
    readable_name,
    require_not_above,
    require_own_account,
    require_privilege,
)
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict, denied, invalid
from omeroadmin.schema.settings import Settings

COLUMNS = {
    "name": "omename",
    "first_name": "firstname",
    "middle_name": "middlename",
    "last_name": "lastname",
    "email": "email",
    "institution": "institution",
}
"""What is known of a user: names of the API, and columns."""
_NEEDED = ("name", "first_name", "last_name")
_OWN = frozenset(COLUMNS) - {"name"}
"""What users may change of themselves."""


@dataclass(frozen=True)
class NewUser:
    """A user to be.

    :param details: by the names of the API; ``name``, ``first_name`` and ``last_name`` are needed
    :param group_ids: the first is the default group
    :param is_admin: whether it will be an administrator
    :param privileges: of an administrator; ``None``: those of whoever creates it
    :param password: ``None``: none, where the server allows that
    """

    details: Mapping[str, str]
    group_ids: Sequence[int]
    is_admin: bool = False
    privileges: Sequence[str] | None = None
    password: str | None = field(default=None, repr=False)


class Users:
    """Changes users."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._lower_case = settings.flag("omero.security.ignore_case")
        self._password_required = settings.flag("omero.security.password_required")

    def create(self, actor: Actor, wish: NewUser) -> int:
        """A new user, active, in its groups.

        :return: its id
        :raises AdminError: ``permission-denied``, ``user-exists``, ``not-found``, ``password-empty``,
            ``request-invalid``, ``role-protected``
        """
        require_privilege(actor, Privilege.MODIFY_USER, "create users")
        require_privilege(actor, Privilege.MODIFY_GROUP_MEMBERSHIP, "create users")
        groups = list(dict.fromkeys(group for group in wish.group_ids if group != USER_GROUP))
        is_admin = wish.is_admin or SYSTEM_GROUP in groups
        privileges = parse_privileges(wish.privileges) if wish.privileges is not None else actor.privileges
        if is_admin:
            require_not_above(actor, privileges, "create such an administrator")
            groups += [] if SYSTEM_GROUP in groups else [SYSTEM_GROUP]
        elif wish.privileges is not None:
            raise invalid("privileges are those of administrators; others have none")
        if GUEST_GROUP in groups:
            raise protected("the user guest is in the group guest, alone and in no other")
        if not groups:
            raise invalid("a user needs a group to work in besides the group user")
        values = self._values(wish.details)
        require_password(wish.password, required=self._password_required or is_admin)
        hash_text = "" if wish.password is None else hashed(wish.password)
        try:
            with self._database.transaction() as connection:
                require_groups(connection, groups)
                user_id = self._insert(connection, actor, values, [*groups, USER_GROUP], hash_text)
                if is_admin:
                    store_restrictions(connection, user_id, frozenset(Privilege) - privileges)
        except psycopg.errors.UniqueViolation:
            raise self._taken(values["omename"]) from None
        return user_id

    def update(self, actor: Actor, user_id: int, changed: Mapping[str, str]) -> None:
        """Change what is known of a user. Users may do so themselves, but not with their names of login.

        :param changed: values by the names of the API
        :raises AdminError: ``permission-denied``, ``not-found``, ``user-exists``, ``role-protected``,
            ``request-invalid``
        """
        values = self._values(changed, needed=False)
        if not values:
            raise invalid(f"nothing to change is named: {', '.join(COLUMNS)}")
        try:
            with self._database.transaction() as connection:
                found = standing(connection, user_id)
                require_update(actor, found, changed)
                self._require_free(connection, values, user_id)
                # Names of columns come from the table above.
                assignments = ", ".join(f"{column} = %({column})s" for column in values)
                statement = (
                    f"UPDATE experimenter SET {assignments}, version = coalesce(version, 0) + 1 WHERE id = %(id)s"  # noqa: S608
                )
                connection.execute(statement.encode(), {**values, "id": user_id})
                Changes(connection, actor).log("UPDATE", "Experimenter", [user_id])
        except psycopg.errors.UniqueViolation:
            raise self._taken(values["omename"]) from None

    def _values(self, details: Mapping[str, str], *, needed: bool = True) -> dict[str, str | None]:
        """Values of columns; what is empty and may be is stored as missing."""
        missing = [name for name in _NEEDED if name not in details]
        if needed and missing:
            raise invalid(f"{missing[0]} is missing")
        values: dict[str, str | None] = {}
        for name in details:
            text = details[name].strip()
            if text or name in _NEEDED:
                text = readable_name(f"the {name.replace('_', ' ')} of a user", text)
            values[COLUMNS[name]] = text or None
        if self._lower_case and values.get("omename"):
            values["omename"] = str(values["omename"]).lower()
        return values

    def _insert(
        self,
        connection: Connection,
        actor: Actor,
        values: Mapping[str, str | None],
        groups: Sequence[int],
        hash_text: str,
    ) -> int:
        self._require_free(connection, values)
        user_id = next_id(connection, "experimenter")
        blank = dict.fromkeys(COLUMNS.values())
        connection.execute(
            "INSERT INTO experimenter (id, permissions, version, ldap, omename, firstname, middlename, lastname, email,"
            " institution) VALUES (%(id)s, -52, 0, false, %(omename)s, %(firstname)s, %(middlename)s, %(lastname)s,"
            " %(email)s, %(institution)s)",
            {**blank, **values, "id": user_id},
        )
        connection.execute(
            "INSERT INTO password (experimenter_id, hash, changed) VALUES (%s, %s, timezone('UTC', now()))",
            (user_id, hash_text),
        )
        changes = Changes(connection, actor)
        changes.log("INSERT", "Experimenter", [user_id])
        made = [join(connection, user_id, group_id, as_owner=False) for group_id in groups]
        changes.log("INSERT", "GroupExperimenterMap", [number for number in made if number is not None])
        return user_id

    def _require_free(
        self, connection: Connection, values: Mapping[str, str | None], user_id: int | None = None
    ) -> None:
        """Refuse a name that another has; that is no error of the database's, for its log."""
        name = values.get("omename")
        row = connection.execute(
            "SELECT id FROM experimenter WHERE omename = %s AND id IS DISTINCT FROM %s", (name, user_id)
        ).fetchone()
        if row is not None:
            raise self._taken(name)

    def _taken(self, name: str | None) -> AdminError:
        row = self._database.row("SELECT id FROM experimenter WHERE omename = %(name)s", {"name": name})
        return conflict("user-exists", f"User exists: {name} (id={row['id'] if row else '?'})")


def require_update(actor: Actor, user: Standing, changed: Mapping[str, str]) -> None:
    """Make sure that somebody may change what is known of a user.

    :param changed: values by the names of the API
    :raises AdminError: ``permission-denied``, ``role-protected``
    """
    if user.id in (ROOT, GUEST) and changed.get("name", user.name) != user.name:
        raise protected("the users root and guest can't be renamed")
    if user.id == actor.user_id and set(changed) <= _OWN:
        require_own_account(actor, f"change what is known of {user.name}")
        return
    if user.id == actor.user_id and Privilege.MODIFY_USER not in actor.privileges:
        raise denied("you may not rename yourself: only administrators with the privilege ModifyUser may")
    require_privilege(actor, Privilege.MODIFY_USER, "change other users")
    require_not_above(actor, user.privileges, f"change the administrator {user.name}")
