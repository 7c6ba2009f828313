"""``omero user listgroups``."""

from __future__ import annotations

from omeroadmin.cli.output import Style
from omeroadmin.cli.people_options import (
    CountOption,
    LongOption,
    SortById,
    SortByName,
    StyleOption,
    UserIdOption,
    UserNameOption,
    UsersArgument,
    selection,
    users_meant,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    users: UsersArgument = None,
    user_id: UserIdOption = None,
    user_name: UserNameOption = None,
    style: StyleOption = Style.SQL,
    long: LongOption = False,
    count: CountOption = False,
    sort_by_id: SortById = False,
    sort_by_name: SortByName = False,
) -> None:
    """List the groups of a user; your own by default.

    Example: omero user listgroups jsmith
    """
    from omeroadmin.cli.people_sorting import count_wanted, sorted_groups
    from omeroadmin.cli.views.people import print_groups
    from omeroadmin.workflows.people import groups_of_user

    count_wanted(count=count, long=long)
    with connection.open() as (client, session):
        meant = users_meant(client, session, selection(users, user_id, user_name))
        groups = sorted_groups(groups_of_user(client, meant), by_id=sort_by_id, by_name=sort_by_name)
    print_groups(groups, style, long=long)
