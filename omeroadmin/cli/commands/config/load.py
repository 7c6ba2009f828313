"""``omero config load``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.config_options import WAIT_DEFAULT, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.input import read_input
from omeroadmin.cli.views.changes import warn_unknown
from omeroadmin.profiles.load import load_properties
from omeroadmin.profiles.properties import parse_properties


def command(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Files; - is stdin.")] = None,
    overwrite: Annotated[bool, typer.Option("-q", help="Overwrite properties that have another value.")] = False,
    escapes: Annotated[bool, typer.Option("--escapes", help="Undo Java's backslash escapes in values.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Take values that aren't of their property's kind.")] = False,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Set the properties that files or stdin hold.

    All of them are set in the active profile, or none.

    The lines are those of a properties file or of `omero config get --show-password`.

    Example: omero config load properties.backup
    """
    config_xml = config_file()
    entries = [
        entry
        for file in files or ["-"]
        for entry in parse_properties(read_input(file), "stdin" if file == "-" else file, escapes=escapes)
    ]
    load_properties(config_xml, entries, overwrite=overwrite, force=force, cause="config load", wait=wait)
    warn_unknown(*(entry.name for entry in entries))
