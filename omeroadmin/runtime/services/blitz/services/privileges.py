"""What administrators may do, each by itself; restricted administrators lack some (manual, 2.6.2; OMERO 5.4)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Privilege(StrEnum):
    """A right of administrators; values are OMERO's names for them."""

    CHGRP = "Chgrp"
    CHOWN = "Chown"
    DELETE_FILE = "DeleteFile"
    DELETE_MANAGED_REPO = "DeleteManagedRepo"
    DELETE_OWNED = "DeleteOwned"
    DELETE_SCRIPT_REPO = "DeleteScriptRepo"
    MODIFY_GROUP = "ModifyGroup"
    MODIFY_GROUP_MEMBERSHIP = "ModifyGroupMembership"
    MODIFY_USER = "ModifyUser"
    READ_SESSION = "ReadSession"
    SUDO = "Sudo"
    WRITE_FILE = "WriteFile"
    WRITE_MANAGED_REPO = "WriteManagedRepo"
    WRITE_OWNED = "WriteOwned"
    WRITE_SCRIPT_REPO = "WriteScriptRepo"


ALL: frozenset[Privilege] = frozenset(Privilege)
CONFIG_PREFIX = "AdminPrivilege:"
"""Rows of ``experimenter_config`` whose names begin so restrict an administrator unless their value is ``true``."""


def privileges_of(restrictions: Iterable[str]) -> frozenset[Privilege]:
    """What is left to an administrator.

    :param restrictions: names of ``experimenter_config``, with their prefix, whose value isn't ``true``
    """
    taken = {name.removeprefix(CONFIG_PREFIX) for name in restrictions}
    return frozenset(privilege for privilege in Privilege if privilege.value not in taken)
