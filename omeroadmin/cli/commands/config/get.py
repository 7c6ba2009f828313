"""``omero config get``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.views.properties import property_lines
from omeroadmin.profiles.reader import read_profile


def command(
    names: Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="Properties; all by default.")] = None,
    show_password: Annotated[
        bool, typer.Option("--show-password/--hide-password", help="Show secrets in a listing.")
    ] = False,
) -> None:
    """Print properties that are set.

    One alone gives its bare value; several or all are printed as KEY=VALUE.

    In a listing secrets are masked; a single named one is not.

    Example: omero config get omero.data.dir
    """
    profile = read_profile(config_file())
    print_lines(*property_lines(profile, names or [], show_secrets=show_password))
