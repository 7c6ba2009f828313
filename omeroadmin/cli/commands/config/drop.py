"""``omero config drop``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.config_options import WAIT_DEFAULT, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.profiles.store import drop_profile


def command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Profile to remove.")], wait: Wait = WAIT_DEFAULT
) -> None:
    """Remove a profile with all its properties.

    The active profile stays the active one and is empty from then on.

    Example: omero config drop old
    """
    drop_profile(config_file(), name, cause="config drop", wait=wait)
