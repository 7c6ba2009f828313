"""What administrators may do, each by itself; restricted administrators lack some (manual, 2.6.2; OMERO 5.4)."""

from __future__ import annotations

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
