"""``omero user info``."""

from __future__ import annotations

from omeroadmin.cli.output import Style
from omeroadmin.cli.people_options import (
    CountOption,
    LongOption,
    SortByEmail,
    SortByFirstName,
    SortById,
    SortByLastName,
    SortByLogin,
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
    sort_by_login: SortByLogin = False,
    sort_by_first_name: SortByFirstName = False,
    sort_by_last_name: SortByLastName = False,
    sort_by_email: SortByEmail = False,
) -> None:
    """Show some users; yourself by default.

    Example: omero user info --user-name jsmith
    """
    from omeroadmin.cli.people_sorting import count_wanted, sorted_users
    from omeroadmin.cli.views.people import print_users

    counted = count_wanted(count=count, long=long)
    with connection.open() as (client, session):
        found = sorted_users(
            users_meant(client, session, selection(users, user_id, user_name)),
            {
                "id": sort_by_id,
                "name": sort_by_login,
                "first_name": sort_by_first_name,
                "last_name": sort_by_last_name,
                "email": sort_by_email,
            },
        )
    print_users(found, style, count=counted)
