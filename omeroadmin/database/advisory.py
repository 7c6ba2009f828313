"""The advisory locks that servers and toolkit take in the database: declared in one place, so that no two are one."""

from __future__ import annotations

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """Keys: "OME" and a number."""

    REPOSITORIES = 0x4F4D4501
    """Who registers the repositories."""
    GRAPHS = 0x4F4D4502
    """Who deletes objects, moves them or gives them away."""
    REMOVALS = 0x4F4D4503
    """Who may remove files, see :mod:`omeroadmin.database.holds`."""
    SCRIPTS = 0x4F4D4504
    """Who registers the scripts."""
    IMPORT_TARGETS = 0x4F4D4505
    """Who makes containers for imports; the first of two numbers, the second is the group's id."""
    SCHEMA = 0x4F4D4506
    """Who replaces or upgrades the schema."""
