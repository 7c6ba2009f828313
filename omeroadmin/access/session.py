"""A session as the server describes it, and its key, which is a credential."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from omeroadmin.access.address import Address
from omeroadmin.access.problems import not_understood
from omeroadmin.errors import AdminError, usage_error

_KEY = re.compile(r"[A-Za-z0-9-]{16,128}")


@dataclass(frozen=True)
class Session:
    """A session as the server describes it.

    :param key: the bearer credential; never printed
    :param group: the one that it works in
    :param time_to_idle_ms: milliseconds without a request after which it ends; 0: never
    :param time_to_live_ms: milliseconds after which it ends, however busy it is; 0: never
    :param started: milliseconds since 1970 UTC
    :param sudoer: who opened it in this user's name, or empty
    """

    key: str = field(repr=False)
    user: str
    group: str
    is_admin: bool
    time_to_idle_ms: int
    started: int
    user_id: int
    group_id: int
    time_to_live_ms: int
    sudoer: str = ""


def checked_key(key: str) -> str:
    """A session key that may stand in a header and name a file.

    :raises AdminError: ``session-key-invalid``; the message doesn't show the key
    """
    if not _KEY.fullmatch(key):
        raise usage_error("session-key-invalid", "that is not a session key: letters, digits and hyphens, 16 at least")
    return key


def read_session(document: Any, address: Address, *, key: str = "") -> Session:
    """Take a session from a server's answer.

    :param address: the server, for the message
    :param key: the key that was sent, where the answer may leave it out
    :raises AdminError: ``answer-invalid``
    """
    try:
        return Session(
            checked_key(str(document.get("key") or key)),
            str(document["user"]),
            str(document["group"]),
            bool(document["is_admin"]),
            int(document["time_to_idle_ms"]),
            int(document["started"]),
            int(document["user_id"]),
            int(document["group_id"]),
            int(document["time_to_live_ms"]),
            str(document.get("sudoer") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError, AdminError) as error:
        raise not_understood(address, "its session has not the fields that were expected") from error
