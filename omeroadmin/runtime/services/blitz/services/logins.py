"""Proves who somebody is, without telling from time or words what was wrong, and slows guessing down."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from omeroadmin.database import passwords
from omeroadmin.errors import AdminError, failed_error
from omeroadmin.runtime.services.blitz.database import Database
from omeroadmin.runtime.services.blitz.services.changes import Changes
from omeroadmin.schema.settings import Settings

_LOG = logging.getLogger("ome.security.auth.PasswordProvider")
_LONGEST_NAME = 255
_LONGEST_PASSWORD = 4096

_USER = """
SELECT e.id, p.hash, EXISTS (SELECT 1 FROM groupexperimentermap m WHERE m.child = e.id AND m.parent = 1) AS active,
       EXISTS (SELECT 1 FROM groupexperimentermap m WHERE m.child = e.id AND m.parent = 0) AS admin
  FROM experimenter e LEFT JOIN password p ON p.experimenter_id = e.id
 WHERE e.omename = %(user)s OR (%(any_case)s AND lower(e.omename) = lower(%(user)s))
 ORDER BY e.omename = %(user)s DESC LIMIT 1
"""
_USER_OF_ID = """
SELECT id, EXISTS (SELECT 1 FROM groupexperimentermap m WHERE m.child = e.id AND m.parent = 1) AS active
  FROM experimenter e WHERE id = %(id)s
"""


class Logins:
    """Checks user names and passwords against the tables ``experimenter`` and ``password``.

    :param may_write: whether hashes of an old kind are replaced
    """

    def __init__(self, database: Database, settings: Settings, *, may_write: bool = True) -> None:
        self._database = database
        self._may_write = may_write
        self._any_case = settings.flag("omero.security.ignore_case")
        self._required = settings.flag("omero.security.password_required")

    def authenticate(self, user: str, password: str) -> int:
        """The id of a user who knows the password; takes as long for a user who doesn't exist.

        :raises AdminError: ``authentication-failed``
        """
        row = None
        if user and len(user) <= _LONGEST_NAME and "\0" not in user:
            row = self._database.row(_USER, {"user": user, "any_case": self._any_case})
        stored: str | None = row["hash"] if row else None
        user_id = int(row["id"]) if row else -1
        matches = passwords.verify(stored, user_id, password[:_LONGEST_PASSWORD])
        if row is None or stored is None or not row["active"]:
            raise authentication_failed()
        if not stored and not self._required and not row["admin"]:
            # Who has no password gives any, as OMERO has it; administrators always need one.
            return user_id
        if not matches:
            raise authentication_failed()
        if self._may_write and passwords.needs_rehash(stored):
            self._rehash(user_id, stored, password)
        return user_id

    def find_user(self, user: str | int) -> int:
        """The id of an active user, for whoever acts in this user's name.

        :param user: name or id
        :raises AdminError: ``not-found``
        """
        if isinstance(user, int):
            row = self._database.row(_USER_OF_ID, {"id": user})
        else:
            row = self._database.row(_USER, {"user": user, "any_case": False}) if "\0" not in user else None
        if row is None or not row["active"]:
            raise failed_error("not-found", f"there is no active user {user!r}")
        return int(row["id"])

    def _rehash(self, user_id: int, stored: str, password: str) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE password SET hash = %s, changed = timezone('UTC', now())"
                " WHERE experimenter_id = %s AND hash = %s",
                (passwords.scrypt_hash(password), user_id, stored),
            ).rowcount
            if changed:
                Changes(connection, None).log("UPDATE", "Experimenter", [user_id])
        _LOG.info("Matched LEGACY password of user %d; stored anew with scrypt", user_id)


def authentication_failed() -> AdminError:
    """Wrong user, wrong password, or an inactive user: the answer is the same."""
    return failed_error("authentication-failed", "user name or password is wrong, or the user is inactive")


@dataclass
class _Failures:
    number: int = 0
    waiting: int = 0
    latest: float = field(default_factory=time.monotonic)


class Throttle:
    """Delays logins after failures, for each user and address by itself.

    :param count: failures after which logins are delayed
    :param delay_ms: milliseconds by which each is delayed
    """

    _MOST_ENTRIES = 10_000
    _MOST_WAITING = 10
    _FORGET_SECONDS = 600.0

    def __init__(self, count: int, delay_ms: int) -> None:
        self._count = max(1, count)
        self._delay = max(0, delay_ms) / 1000
        self._entries: OrderedDict[tuple[str, str], _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, user: str, ip: str) -> float:
        """Begin a login.

        :return: seconds to wait before the password is looked at
        :raises AdminError: ``login-throttled`` if too many wait already
        """
        key = (user[:_LONGEST_NAME], ip)
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and not entry.waiting and time.monotonic() - entry.latest > self._FORGET_SECONDS:
                entry = None
            if entry is None:
                entry = self._entries[key] = _Failures()
            self._entries.move_to_end(key)
            while len(self._entries) > self._MOST_ENTRIES:
                self._entries.popitem(last=False)
            if entry.waiting >= self._MOST_WAITING:
                raise failed_error("login-throttled", "too many logins failed; try again later")
            entry.waiting += 1
            return self._delay if entry.number >= self._count else 0.0

    def leave(self, user: str, ip: str, *, succeeded: bool | None) -> None:
        """End a login.

        :param succeeded: ``None`` where the password wasn't looked at
        """
        key = (user[:_LONGEST_NAME], ip)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return
            entry.waiting = max(0, entry.waiting - 1)
            entry.latest = time.monotonic()
            if succeeded is None:
                return
            if not succeeded:
                entry.number += 1
            elif entry.waiting:
                entry.number = 0
            else:
                del self._entries[key]
