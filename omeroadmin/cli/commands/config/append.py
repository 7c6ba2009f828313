"""``omero config append``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.completion import complete_list_key
from omeroadmin.cli.config_options import WAIT_DEFAULT, Force, Report, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.views.changes import shown, warn_unknown
from omeroadmin.profiles.lists import append_item


def command(
    name: Annotated[
        str, typer.Argument(metavar="KEY", help="Property whose value is a list.", autocompletion=complete_list_key)
    ],
    item: Annotated[str, typer.Argument(metavar="VALUE", help="Item to append, as JSON.")],
    once: Annotated[bool, typer.Option("--set", help="Only if the list doesn't hold it yet.")] = False,
    report: Report = False,
    force: Force = False,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Append an item to a property that is a JSON list.

    An unset list is empty; an unset list of OMERO.web is its default.

    Example: omero config append omero.web.apps '"omero_figure"'
    """
    changes = append_item(config_file(), name, item, once=once, force=force, cause="config append", wait=wait)
    warn_unknown(name)
    if report and changes:
        print_lines(f"Changed: Appended {name}:{shown(name, item)}")
