"""``omero group perms``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.people_options import (
    OfGroupIdOption,
    OfGroupNameOption,
    PermissionsOption,
    TypeOption,
    needed,
    permissions_of,
    the_one,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    id_: OfGroupIdOption = None,
    name: OfGroupNameOption = None,
    perms: PermissionsOption = None,
    type_: TypeOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be unlinked.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before links are removed.")] = False,
) -> None:
    """Change the permissions of a group.

    Lower permissions remove links to annotations that they don't permit; a private group keeps no link between data
    of different users. What would be removed is shown and asked for first.

    A group with an image that one user made from another's data can't become private. Only administrators make a
    group read-write.

    Example: omero group perms --name read-annotate-1 --type read-only --dry-run
    """
    from omeroadmin.cli.confirm import agree_to
    from omeroadmin.cli.views.people import level_lines, print_level_change
    from omeroadmin.workflows.people import change_level, find_groups

    chosen, permissions = needed(the_one(id_, name), "group"), permissions_of(perms, type_)
    with connection.open() as (client, _):
        [group] = find_groups(client, chosen)
        change = change_level(client, group, permissions, dry_run=True)
        if not dry_run and change.before != change.after:
            if change.removed:
                agree_to(level_lines(change), yes=yes, destructive=True)
            change = change_level(client, group, permissions, dry_run=False)
    print_level_change(change, dry_run=dry_run)
