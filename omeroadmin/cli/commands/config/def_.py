"""``omero config def``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.config_options import WAIT_DEFAULT, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.profiles.store import activate_profile, read_profile


def command(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Profile to make the active one.")] = None,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Print the active profile's name, or activate another.

    OMERO_CONFIG chooses a profile for the commands of one shell; this chooses it for the server.

    Example: omero config def production
    """
    config_xml = config_file()
    if name is not None:
        activate_profile(config_xml, name, cause="config def", wait=wait)
    print_lines(read_profile(config_xml).name if name is None else name)
