"""``omero group listusers``."""

from __future__ import annotations

from omeroadmin.cli.output import Style
from omeroadmin.cli.people_options import (
    CountOption,
    GroupIdOption,
    GroupNameOption,
    GroupsArgument,
    LongOption,
    SortByEmail,
    SortByFirstName,
    SortById,
    SortByLastName,
    SortByLogin,
    StyleOption,
    groups_meant,
    selection,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    groups: GroupsArgument = None,
    group_id: GroupIdOption = None,
    group_name: GroupNameOption = None,
    style: StyleOption = Style.SQL,
    long: LongOption = False,
    count: CountOption = False,
    sort_by_id: SortById = False,
    sort_by_login: SortByLogin = False,
    sort_by_first_name: SortByFirstName = False,
    sort_by_last_name: SortByLastName = False,
    sort_by_email: SortByEmail = False,
) -> None:
    """List the users of a group; that of your session by default.

    Example: omero group listusers read-only-1
    """
    from omeroadmin.cli.people_sorting import count_wanted, sorted_users
    from omeroadmin.cli.views.people import print_users
    from omeroadmin.workflows.people import users_of_groups

    counted = count_wanted(count=count, long=long)
    with connection.open() as (client, session):
        meant = groups_meant(client, session, selection(groups, group_id, group_name))
        found = sorted_users(
            users_of_groups(client, meant),
            {
                "id": sort_by_id,
                "name": sort_by_login,
                "first_name": sort_by_first_name,
                "last_name": sort_by_last_name,
                "email": sort_by_email,
            },
        )
    print_users(found, style, count=counted)
