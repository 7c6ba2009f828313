"""OMERO's tables of permissions on others' data (2.6.1 of its manual), for the rules themselves and for a server."""

from __future__ import annotations

from omeroadmin.runtime.services.blitz.services.levels import Level
from omeroadmin.runtime.services.blitz.services.permissions import Action

TABLES = {
    # One letter for each of private, read-only, read-annotate, read-write.
    "administrator": {
        "view": "YYYY", "annotate": "NYYY", "delete": "YYYY", "edit": "YYYY", "move to another group": "YYYY",
        "remove annotations from": "YYYY", "link": "NYYY", "give away": "YYYY",
    },
    "owner": {
        "view": "YYYY", "annotate": "NYYY", "delete": "YYYY", "edit": "YYYY", "move to another group": "NNNN",
        "remove annotations from": "YYYY", "link": "NYYY", "give away": "YYYY",
    },
    "member": {
        "view": "NYYY", "annotate": "NNYY", "delete": "NNNY", "edit": "NNNY", "move to another group": "NNNN",
        "remove annotations from": "NNNY", "link": "NNNY", "give away": "NNNN",
    },
    "stranger": dict.fromkeys((action.value for action in Action), "NNNN"),
}  # fmt: skip

CELLS = [
    (role, action, level, letter == "Y")
    for role, rows in TABLES.items()
    for action, letters in rows.items()
    for level, letter in zip(Level, letters, strict=True)
]
"""Role, action, level of the group, and whether it is allowed."""
