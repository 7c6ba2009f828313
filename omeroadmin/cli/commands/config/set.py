"""``omero config set``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.assignment import assign
from omeroadmin.cli.completion import complete_key, complete_value
from omeroadmin.cli.config_options import WAIT_DEFAULT, Force, Report, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.input import read_input
from omeroadmin.errors import usage_error
from omeroadmin.schema.validation import check_name


def command(
    name: Annotated[str, typer.Argument(metavar="KEY", help="Property to set.", autocompletion=complete_key)],
    value: Annotated[
        str | None, typer.Argument(metavar="[VALUE]", help="Without it, KEY is removed.", autocompletion=complete_value)
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", metavar="FILE", help="Take the value from a file; - is stdin.")
    ] = None,
    report: Report = False,
    force: Force = False,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Set a property of the active profile, or remove it.

    The server takes a new value when it is started. Keep secrets out of the shell's history with --file.
    A VALUE that begins with a dash comes after two dashes.

    Example: omero config set omero.data.dir /OMERO
    """
    if file is not None and value is not None:
        raise usage_error("value-given-twice", "both VALUE and --file are given", "leave one of them out")
    if file is not None:
        config_file()
        check_name(name)
        value = read_input(file).rstrip()
    assign(name, value, report=report, force=force, wait=wait)
