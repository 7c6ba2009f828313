"""All services for users and groups."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.runtime.services.blitz.database import Database
from omeroadmin.runtime.services.blitz.services.admin.directory import Directory
from omeroadmin.runtime.services.blitz.services.admin.grouplevels import GroupLevels
from omeroadmin.runtime.services.blitz.services.admin.groups import Groups
from omeroadmin.runtime.services.blitz.services.admin.memberships import Memberships
from omeroadmin.runtime.services.blitz.services.admin.passwords import Passwords
from omeroadmin.runtime.services.blitz.services.admin.restrictions import Restrictions
from omeroadmin.runtime.services.blitz.services.admin.users import Users
from omeroadmin.schema.settings import Settings


@dataclass(frozen=True)
class Administration:
    """The services; each knows who may do what."""

    directory: Directory
    users: Users
    groups: Groups
    memberships: Memberships
    passwords: Passwords
    levels: GroupLevels
    restrictions: Restrictions


def administration(database: Database, settings: Settings) -> Administration:
    """Make the services."""
    return Administration(
        directory=Directory(database),
        users=Users(database, settings),
        groups=Groups(database),
        memberships=Memberships(database),
        passwords=Passwords(database, settings),
        levels=GroupLevels(database),
        restrictions=Restrictions(database),
    )
