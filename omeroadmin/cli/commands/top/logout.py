"""``omero logout``."""

from __future__ import annotations

from omeroadmin.cli.output import say
from omeroadmin.cli.session import CaFileOption, PortOption, ServerOption, UserOption, place, wish


def command(
    server: ServerOption = None,
    port: PortOption = None,
    user: UserOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """Log out: close the session that commands use.

    It ends on the server and here.

    Example: omero logout
    """
    from omeroadmin.workflows.access import logout

    closed = logout(place(), wish(server, port, user, None, ca_file))
    say("There is no session to log out of." if closed is None else f"Logged out: {closed}")
