"""``omero user list``."""

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
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    style: StyleOption = Style.SQL,
    long: LongOption = False,
    count: CountOption = False,
    sort_by_id: SortById = False,
    sort_by_login: SortByLogin = False,
    sort_by_first_name: SortByFirstName = False,
    sort_by_last_name: SortByLastName = False,
    sort_by_email: SortByEmail = False,
) -> None:
    """List all users, with the groups that they are in.

    A user who isn't active is not in the group user, and can't log in.

    Example: omero user list --sort-by-login
    """
    from omeroadmin.access.people import all_users
    from omeroadmin.cli.people_sorting import count_wanted, sorted_users
    from omeroadmin.cli.views.people import print_users

    counted = count_wanted(count=count, long=long)
    with connection.open() as (client, _):
        users = sorted_users(
            all_users(client),
            {
                "id": sort_by_id,
                "name": sort_by_login,
                "first_name": sort_by_first_name,
                "last_name": sort_by_last_name,
                "email": sort_by_email,
            },
        )
    print_users(users, style, count=counted)
