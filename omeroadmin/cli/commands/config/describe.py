"""``omero config describe``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.completion import complete_key
from omeroadmin.cli.context import values_set
from omeroadmin.cli.output import print_json, print_lines
from omeroadmin.cli.views.catalog import description_lines
from omeroadmin.schema.describe import describe


def command(
    names: Annotated[
        list[str], typer.Argument(metavar="KEY...", help="Properties to describe.", autocompletion=complete_key)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """Say what properties are for, and what they take.

    With the value in force, where there is an instance, and with the servers that a change affects: restart those.

    KEY.service, e.g. omero.jvmcfg.heap_size.blitz, is described as well.

    Example: omero config describe omero.db.poolsize
    """
    descriptions = describe(names, values_set())
    if as_json:
        print_json("config/describe", {"properties": descriptions})
    else:
        print_lines(*description_lines(descriptions))
