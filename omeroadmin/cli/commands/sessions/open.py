"""``omero sessions open``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects
from omeroadmin.errors import usage_error


@connects
def command(
    connection: Connection,
    user_id: Annotated[int | None, typer.Option("--user-id", metavar="ID", min=0, help="The user.")] = None,
    user_name: Annotated[str | None, typer.Option("--user-name", metavar="NAME", help="The user.")] = None,
    group_id: Annotated[int | None, typer.Option("--group-id", metavar="ID", min=0, help="Group to work in.")] = None,
    group_name: Annotated[str | None, typer.Option("--group-name", metavar="NAME", help="Group to work in.")] = None,
    timeout: Annotated[
        int | None,
        typer.Option("--timeout", metavar="SECONDS", min=1, help="End it then; as late as possible by default."),
    ] = None,
) -> None:
    """Open a session in another user's name, and print its key.

    For administrators with the privilege Sudo, and for group owners. The session is not stored.

    Example: omero sessions open --user-name ada --timeout 600
    """
    from omeroadmin.cli.views.sessions import say_opened
    from omeroadmin.workflows.sessions import open_for

    if group_id is not None and group_name is not None:
        raise usage_error("options-conflict", "--group-id and --group-name name a group each", "give one of them")
    user = user_name if user_id is None else user_id
    if user is None or None not in (user_id, user_name):
        raise usage_error("user-needed", "one user must be named", "give --user-id or --user-name")
    group = group_name if group_id is None else str(group_id)
    with connection.open() as (client, _):
        session = open_for(client, user, group=group or "", live_seconds=timeout)
    if not connection.quiet:
        say_opened(session)
    print_lines(session.key)
