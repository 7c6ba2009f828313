"""``omero config load``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.config_options import WAIT_DEFAULT, Report, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.input import read_input
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.views.changes import change_lines, warn_unknown
from omeroadmin.profiles.load import load_properties
from omeroadmin.profiles.properties import parse_properties


def command(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Files; - is stdin.")] = None,
    overwrite: Annotated[bool, typer.Option("-q", help="Overwrite properties that have another value.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Take lines as listings show them, backslashes and all.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Take values that aren't of their property's kind.")] = False,
    report: Report = False,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Set the properties that files or stdin hold.

    All of them are set in the active profile, or none.

    The text is a properties file as Java has them: name=value, comments after # or !, and a backslash for characters
    such as \\n and \\u00e9 and to go on in the next line. A backslash before any other character stays.

    A listing of `omero config get --show-password` is loaded with --raw; `omero config export` makes better copies.

    Example: omero config load properties.backup
    """
    config_xml = config_file()
    entries = [
        entry
        for file in files or ["-"]
        for entry in parse_properties(read_input(file), "stdin" if file == "-" else file, raw=raw)
    ]
    changes = load_properties(config_xml, entries, overwrite=overwrite, force=force, cause="config load", wait=wait)
    warn_unknown(*(entry.name for entry in entries))
    if report:
        print_lines(*change_lines(changes))
