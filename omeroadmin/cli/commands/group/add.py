"""``omero group add``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.people_options import IgnoreExistingOption, PermissionsOption, TypeOption, permissions_of
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the group.")],
    perms: PermissionsOption = None,
    type_: TypeOption = None,
    description: Annotated[str, typer.Option("--description", metavar="TEXT", help="What the group is for.")] = "",
    ignore_existing: IgnoreExistingOption = False,
) -> None:
    """Create a group.

    private (rw----): only owners of the group and administrators see others' data. read-only (rwr---): all members
    see it. read-annotate (rwra--): they annotate it, too. read-write (rwrw--): they do everything with it.

    Example: omero group add read-annotate-1 --type read-annotate
    """
    from omeroadmin.cli.views.people import print_added_group
    from omeroadmin.workflows.people import add_group

    permissions = permissions_of(perms, type_)
    with connection.open() as (client, _):
        group, is_new = add_group(
            client, name, permissions=permissions, description=description, ignore_existing=ignore_existing
        )
    print_added_group(group, is_new=is_new)
