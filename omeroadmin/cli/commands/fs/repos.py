"""``omero fs repos``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.list_options import StyleOption
from omeroadmin.cli.output import Style
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    style: StyleOption = Style.SQL,
    managed: Annotated[bool, typer.Option("--managed", help="Only repositories that imports go to.")] = False,
) -> None:
    """List the server's repositories.

    Example: omero fs repos

    Example: omero fs repos --managed --style plain
    """
    from omeroadmin.cli.views.files import print_repositories
    from omeroadmin.workflows.file_lists import repositories

    with connection.open() as (client, _):
        found = repositories(client, managed=managed)
    print_repositories(found, style)
