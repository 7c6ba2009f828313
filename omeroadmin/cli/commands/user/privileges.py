"""``omero user privileges``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import Style
from omeroadmin.cli.people_options import StyleOption, selection, users_meant
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    whose: Annotated[str | None, typer.Argument(metavar="[USER]", help="Id or name; you by default.")] = None,
    only: Annotated[
        str | None, typer.Option("--only", metavar="A,B", help="Leave these privileges, no others; none if empty.")
    ] = None,
    restrict: Annotated[
        str | None, typer.Option("--restrict", metavar="A,B", help="Take these privileges away.")
    ] = None,
    clear: Annotated[str | None, typer.Option("--clear", metavar="A,B", help="Give these privileges back.")] = None,
    style: StyleOption = Style.SQL,
) -> None:
    """Show or change what an administrator may.

    Nobody gives or takes privileges that they lack themselves. All privileges together make a full administrator.

    Example: omero user privileges jsmith --only Sudo,WriteOwned,WriteManagedRepo
    """
    from omeroadmin.cli.views.people import print_privileges
    from omeroadmin.workflows.privileges import change_privileges, wanted_privileges

    wanted_privileges((), only, restrict, clear)
    with connection.open() as (client, session):
        [found] = users_meant(client, session, selection([whose] if whose else None))
        found = change_privileges(client, found, only, restrict, clear)
    print_privileges([found], style)
