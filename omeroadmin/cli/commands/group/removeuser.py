"""``omero group removeuser``."""

from __future__ import annotations

from omeroadmin.cli.people_options import (
    AsOwnerOption,
    OfGroupIdOption,
    OfGroupNameOption,
    UserIdOption,
    UserNameOption,
    UsersArgument,
    needed,
    selection,
    the_one,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    users: UsersArgument = None,
    user_id: UserIdOption = None,
    user_name: UserNameOption = None,
    id_: OfGroupIdOption = None,
    name: OfGroupNameOption = None,
    as_owner: AsOwnerOption = False,
) -> None:
    """Take users out of a group.

    All of them or none. With --as-owner they stay members.

    Example: omero group removeuser jsmith --name read-annotate-1
    """
    from omeroadmin.cli.views.people import print_moved
    from omeroadmin.workflows.people import find_groups, find_users, move

    group_wanted = needed(the_one(id_, name), "group")
    chosen = needed(selection(users, user_id, user_name), "user")
    with connection.open() as (client, _):
        meant = [user.id for user in find_users(client, chosen)]
        for done in move(client, find_groups(client, group_wanted), meant, add=False, as_owner=as_owner):
            print_moved(done, add=False, as_owner=as_owner)
