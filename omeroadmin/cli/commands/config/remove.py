"""``omero config remove``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.completion import complete_list_key
from omeroadmin.cli.config_options import WAIT_DEFAULT, Force, Report, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.views.changes import shown
from omeroadmin.profiles.lists import remove_item


def command(
    name: Annotated[
        str, typer.Argument(metavar="KEY", help="Property whose value is a list.", autocompletion=complete_list_key)
    ],
    item: Annotated[str, typer.Argument(metavar="VALUE", help="Item to remove, as JSON.")],
    report: Report = False,
    force: Force = False,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Remove an item from a property that is a JSON list.

    Of several equal items the first one goes. An unset list of OMERO.web is its default.

    Example: omero config remove omero.web.apps '"omero_figure"'
    """
    changes = remove_item(config_file(), name, item, force=force, cause="config remove", wait=wait)
    if report and changes:
        print_lines(f"Changed: Removed {name}:{shown(name, item)}")
