"""``omero user joingroup``."""

from __future__ import annotations

from omeroadmin.cli.people_options import (
    AsOwnerOption,
    GroupIdOption,
    GroupNameOption,
    GroupsArgument,
    OfUserIdOption,
    OfUserNameOption,
    needed,
    selection,
    the_one,
    users_meant,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    groups: GroupsArgument = None,
    group_id: GroupIdOption = None,
    group_name: GroupNameOption = None,
    id_: OfUserIdOption = None,
    name: OfUserNameOption = None,
    as_owner: AsOwnerOption = False,
) -> None:
    """Put a user into groups; yourself by default.

    Joining the group user makes a user active again.

    Example: omero user joingroup read-only-1 --name jsmith
    """
    from omeroadmin.cli.views.people import print_moved
    from omeroadmin.workflows.people import find_groups, move

    chosen = needed(selection(groups, group_id, group_name), "group")
    with connection.open() as (client, session):
        [user] = users_meant(client, session, the_one(id_, name))
        for done in move(client, find_groups(client, chosen), [user.id], add=True, as_owner=as_owner):
            print_moved(done, add=True, as_owner=as_owner)
