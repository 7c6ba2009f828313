"""``omero hosts list``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.hosts_options import InventoryFile, Json, Limit, QuietResult, known_inventory, limited
from omeroadmin.cli.output import Style


def command(
    inventory: InventoryFile = None,
    limit: Limit = "",
    variables: Annotated[
        bool, typer.Option("--variables", help="Show the variables of each, without secrets.")
    ] = False,
    style: Annotated[Style, typer.Option("--style", help="How the list is printed.")] = Style.SQL,
    quiet: QuietResult = False,  # noqa: ARG001 - as all of them; there are no other words here
    as_json: Json = False,
) -> None:
    """List the hosts, their groups and how they are reached.

    No host is asked, and no secret is needed or shown.

    Example: omero hosts list --limit web --variables
    """
    from omeroadmin.cli.views import hosts as view

    found = known_inventory(inventory)
    hosts = limited(found, limit)
    if as_json or style is Style.JSON:
        view.print_hosts_json(found, hosts)
    elif variables:
        view.print_variables(hosts)
    else:
        view.print_hosts(hosts, style)
