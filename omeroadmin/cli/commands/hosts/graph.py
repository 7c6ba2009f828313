"""``omero hosts graph``."""

from __future__ import annotations

from omeroadmin.cli.hosts_options import InventoryFile, Json, QuietResult, known_inventory


def command(
    inventory: InventoryFile = None,
    quiet: QuietResult = False,  # noqa: ARG001 - as all of them; there are no other words here
    as_json: Json = False,
) -> None:
    """Show which groups are made of which groups and hosts.

    Example: omero hosts graph --inventory site/hosts.yml
    """
    from omeroadmin.cli.views import hosts as view

    view.print_graph(known_inventory(inventory), as_json=as_json)
