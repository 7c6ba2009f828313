"""``omero sessions file``."""

from __future__ import annotations

from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects, place


@connects
def command(connection: Connection) -> None:
    """Print the path of the file of the session in use.

    The file's name is the key, and whoever has the key can use the session.

    Example: omero sessions file
    """
    from omeroadmin.workflows.sessions import current_stored, session_file

    here = place()
    print_lines(str(session_file(here, current_stored(here, connection.wish()))))
