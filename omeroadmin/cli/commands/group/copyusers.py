"""``omero group copyusers``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.people_options import AsOwnerOption, selection
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    from_group: Annotated[str, typer.Argument(metavar="FROM", help="Id or name of the group with the users.")],
    to_group: Annotated[str, typer.Argument(metavar="TO", help="Id or name of the group to put them into.")],
    as_owner: AsOwnerOption = False,
) -> None:
    """Put the users of one group into another one, too.

    With --as-owner, the owners of the one become owners of the other.

    Example: omero group copyusers read-only-1 read-only-2
    """
    from omeroadmin.cli.output import print_lines
    from omeroadmin.cli.views.people import print_moved
    from omeroadmin.workflows.people import find_groups, move

    with connection.open() as (client, _):
        [source], [target] = (find_groups(client, selection([text])) for text in (from_group, to_group))
        users = source.owners if as_owner else tuple(sorted((*source.owners, *source.members)))
        for done in move(client, [target], users, add=True, as_owner=as_owner):
            print_moved(done, add=True, as_owner=as_owner)
    print_lines(f"{'Owners' if as_owner else 'Users'} of {from_group} copied to {to_group}")
