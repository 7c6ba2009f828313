"""``omero sessions key``."""

from __future__ import annotations

from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(connection: Connection) -> None:
    """Print the key of the session in use.

    Whoever has it can use the session; hand it on through a pipe.

    Example: omero sessions key | omero sessions who -k -
    """
    from omeroadmin.workflows.sessions import current_stored

    print_lines(current_stored(place(), connection.wish()).key)
