"""Options that the commands of ``omero config`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.context import choose_source
from omeroadmin.profiles.store import WAIT as WAIT_DEFAULT

__all__ = ["WAIT_DEFAULT", "Force", "Report", "ShowPassword", "Wait", "group_options"]

Wait = Annotated[float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long to queue for other writers.")]
Report = Annotated[bool, typer.Option("--report", help="Say what has changed.")]
Force = Annotated[bool, typer.Option("--force", help="Take a value that isn't of the property's kind.")]
ShowPassword = Annotated[bool, typer.Option("--show-password/--hide-password", help="Show secrets in a listing.")]


def group_options(
    source: Annotated[
        Path | None, typer.Option("--source", metavar="FILE", help="A config.xml other than the instance's.")
    ] = None,
) -> None:
    """Options between ``omero config`` and the verb."""
    choose_source(source)
