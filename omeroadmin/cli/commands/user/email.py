"""``omero user email``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    names: Annotated[bool, typer.Option("-n", "--names", help="With the names of the users.")] = False,
    one: Annotated[bool, typer.Option("-1", "--one", help="One user a line.")] = False,
    ignore: Annotated[bool, typer.Option("-i", "--ignore", help="Say nothing of users without an address.")] = False,
    everybody: Annotated[bool, typer.Option("--all", help="Those who aren't active, too.")] = False,
) -> None:
    """List the addresses of users, for a mail to all of them.

    Example: omero user email --names --one
    """
    from omeroadmin.access.people import all_users
    from omeroadmin.cli.views.people import print_emails

    with connection.open() as (client, _):
        users = list(all_users(client))
    print_emails(users, names=names, one=one, ignore=ignore, everybody=everybody)
