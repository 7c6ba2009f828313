"""``omero sessions group``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.output import print_lines, say
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(
    connection: Connection,
    target: Annotated[str | None, typer.Argument(metavar="[GROUP]", help="Group to switch to: its name or id.")] = None,
) -> None:
    """Show or switch the group that the session works in.

    New data goes to this group from now on. Administrators may choose any group.

    Example: omero sessions group system
    """
    from omeroadmin.workflows.sessions import switch_group

    with connection.open() as (client, session):
        if target is None:
            print_lines(f"ExperimenterGroup:{session.group_id}")
            return
        done = switch_group(place(), client, session, target)
    if done.old_id == done.new_id:
        say(f"Group '{done.new}' (id={done.new_id}) is already active")
    else:
        print_lines(f"Group '{done.old}' (id={done.old_id}) switched to '{done.new}' (id={done.new_id})")
