"""``omero upload``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    paths: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to upload.")],
    mimetype: Annotated[
        str, typer.Option("--mimetype", metavar="TYPE", help="Their type; by default as their names say.")
    ] = "",
) -> None:
    """Upload files as they are, to attach them for example.

    Prints OriginalFile:ID for each. Images that shall be seen are imported instead: omero import.

    Example: omero upload analysis.csv
    """
    import sys

    from omeroadmin.cli.output import print_lines
    from omeroadmin.workflows.contents import upload

    with connection.open() as (client, _):
        for file in upload(client, paths, mimetype):
            print_lines(f"OriginalFile:{file.id}")
            sys.stdout.flush()
