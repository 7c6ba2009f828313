"""``omero db password``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.password import NoSaltOption, PasswordFileOption, PasswordOption, new_password


def command(
    user_id: Annotated[int, typer.Option("--user-id", metavar="ID", min=0, help="Id of the user; 0 is root.")] = 0,
    password: PasswordOption = None,
    password_file: PasswordFileOption = None,
    no_salt: NoSaltOption = False,
) -> None:
    """Print the SQL statement that sets a user's password.

    It is for psql.

    Example: omero db password --password-file new_password | psql -h localhost -U omero omero
    """
    from omeroadmin.cli.output import print_lines
    from omeroadmin.database.script import ROOT_USER_ID, password_statement

    whose = "OMERO root user" if user_id == ROOT_USER_ID else f"OMERO user {user_id}"
    given = new_password(whose, password, password_file)
    print_lines(password_statement(given.text, salt=not no_salt, user_id=user_id))
