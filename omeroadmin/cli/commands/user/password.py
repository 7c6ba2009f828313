"""``omero user password``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.people_options import UserPasswordFileOption, UserPasswordOption
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    username: Annotated[
        str | None, typer.Argument(metavar="[USERNAME]", help="Whose password, if not your own.")
    ] = None,
    userpassword: UserPasswordOption = None,
    userpassword_file: UserPasswordFileOption = None,
) -> None:
    """Set your own password, or that of another user.

    Your own, current password is needed for both: from --password-file, OMERO_PASSWORD or the terminal. For others'
    passwords an administrator with the privilege ModifyUser is needed.

    The new password comes from --userpassword-file or the terminal.

    Example: omero user password jsmith --password-file own --userpassword-file new
    """
    from omeroadmin.cli.output import print_lines
    from omeroadmin.cli.people_options import selection, users_meant
    from omeroadmin.cli.people_passwords import own_password, user_password, with_typed_password
    from omeroadmin.workflows.people import set_password

    connection = with_typed_password(connection)
    with connection.open() as (client, session):
        user = users_meant(client, session, selection(names=[username] if username else None))[0]
        current = own_password(connection, session.user, client.address)
        password = user_password(user.name, userpassword, userpassword_file)
        set_password(client, user, password=password, current_password=current)
    print_lines(f"Changed password for {user.name} (id={user.id})")
