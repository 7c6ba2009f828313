"""``omero user add``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.people_options import (
    GroupIdOption,
    GroupNameOption,
    GroupsArgument,
    IgnoreExistingOption,
    UserPasswordFileOption,
    UserPasswordOption,
    needed,
    selection,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="Name of login.")],
    firstname: Annotated[str, typer.Argument(metavar="FIRSTNAME", help="First name.")],
    lastname: Annotated[str, typer.Argument(metavar="LASTNAME", help="Last name.")],
    groups: GroupsArgument = None,
    group_id: GroupIdOption = None,
    group_name: GroupNameOption = None,
    middlename: Annotated[str, typer.Option("-m", "--middlename", metavar="NAME", help="Middle name.")] = "",
    email: Annotated[str, typer.Option("-e", "--email", metavar="ADDRESS", help="Address.")] = "",
    institution: Annotated[str, typer.Option("-i", "--institution", metavar="NAME", help="Institution.")] = "",
    admin: Annotated[bool, typer.Option("-a", "--admin", help="The user is an administrator.")] = False,
    privileges: Annotated[
        str | None, typer.Option("--privileges", metavar="A,B", help="What an administrator may; all by default.")
    ] = None,
    userpassword: UserPasswordOption = None,
    userpassword_file: UserPasswordFileOption = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="Without a password, if the server allows.")
    ] = False,
    ignore_existing: IgnoreExistingOption = False,
) -> None:
    """Create a user.

    The first group that is named is the user's default group. Without a password among the options it is asked for.

    --privileges makes a restricted administrator, e.g. --admin --privileges Sudo,WriteOwned.

    Example: omero user add jsmith John Smith --group-name test-group --userpassword-file FILE
    """
    from omeroadmin.cli.people_passwords import password_of_new_user
    from omeroadmin.cli.views.people import print_added_user
    from omeroadmin.workflows.people import NewUser, add_user, existing_user

    chosen = needed(selection(groups, group_id, group_name), "group")
    names = {"name": username, "first_name": firstname, "middle_name": middlename, "last_name": lastname}
    with connection.open() as (client, _):
        found = existing_user(client, username)
        password = None
        if found is None:
            password = password_of_new_user(username, userpassword, userpassword_file, no_password=no_password)
        wish = NewUser(
            {**names, "email": email, "institution": institution},
            chosen,
            admin or privileges is not None,
            None if privileges is None else tuple(filter(None, privileges.split(","))),
            password,
        )
        user, is_new = add_user(client, wish, ignore_existing=ignore_existing)
    print_added_user(user, is_new=is_new, with_password=password is not None)
