"""Sets passwords. They are stored with scrypt only, and whoever sets one proves who they are by their own."""

from __future__ import annotations

from omeroadmin.database.passwords import scrypt_hash
from omeroadmin.errors import usage_error
from omeroadmin.runtime.services.blitz.database import Database
from omeroadmin.runtime.services.blitz.services.actor import Actor
from omeroadmin.runtime.services.blitz.services.admin.facts import Standing, standing
from omeroadmin.runtime.services.blitz.services.admin.rules import (
    GUEST,
    protected,
    require_not_above,
    require_own_account,
    require_privilege,
)
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.runtime.services.blitz.services.privileges import Privilege
from omeroadmin.runtime.services.blitz.services.problems import conflict
from omeroadmin.schema.settings import Settings

_LONGEST = 4096


class Passwords:
    """Changes the table ``password``."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._required = settings.flag("omero.security.password_required")

    def change(self, actor: Actor, user_id: int, password: str) -> None:
        """Set somebody's password: one's own, or as an administrator with ModifyUser another's.

        That the actor's own password was given, over TLS, is for the caller to see to.

        :raises AdminError: ``permission-denied``, ``not-found``, ``password-empty``, ``password-elsewhere``,
            ``role-protected``
        """
        require_own_account(actor, "set a password")
        if user_id != actor.user_id:
            require_privilege(actor, Privilege.MODIFY_USER, "set the passwords of others")
        require_password(password, required=True)
        with self._database.transaction() as connection:
            _require(actor, standing(connection, user_id))
        # Outside of the transaction: it takes a tenth of a second, and nothing should wait for it.
        hash_text = hashed(password)
        with self._database.transaction() as connection:
            _require(actor, standing(connection, user_id))
            connection.execute(
                "INSERT INTO password (experimenter_id, hash, changed) VALUES (%s, %s, timezone('UTC', now()))"
                " ON CONFLICT (experimenter_id) DO UPDATE SET hash = excluded.hash, changed = excluded.changed",
                (user_id, hash_text),
            )
            Changes(connection, actor).log("UPDATE", "Experimenter", [user_id])


def _require(actor: Actor, user: Standing) -> None:
    if user.id == GUEST:
        raise protected("the user guest has no password")
    if user.ldap:
        raise conflict("password-elsewhere", f"the password of {user.name} is kept by LDAP and is changed there")
    if user.id != actor.user_id:
        require_not_above(actor, user.privileges, f"set the password of the administrator {user.name}")


def require_password(password: str | None, *, required: bool) -> None:
    """Make sure that a password can be one.

    :param required: whether there must be one
    :raises AdminError: ``password-empty``, ``password-too-long``
    """
    if required and not password:
        raise usage_error("password-empty", "the server requires a password that is not empty")
    if password and len(password) > _LONGEST:
        raise usage_error("password-too-long", f"a password has {_LONGEST} characters at most")


def hashed(password: str) -> str:
    """The form in which a password is stored."""
    return scrypt_hash(password) if password else ""
