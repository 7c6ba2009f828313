"""``omero fs ls``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    named: Annotated[str, typer.Argument(metavar="OBJECT", help="Fileset:ID or Image:ID; a number is a fileset's.")],
) -> None:
    """List the files of a fileset, with their paths.

    The paths are below the managed repository.

    Example: omero fs ls Fileset:51
    """
    from omeroadmin.cli.output import print_lines
    from omeroadmin.errors import printable
    from omeroadmin.workflows.contents import fileset_files
    from omeroadmin.workflows.file_lists import parse_fileset

    wanted = parse_fileset(named, images=True)
    with connection.open() as (client, _):
        found = fileset_files(client, wanted)
    print_lines(*(printable(f"{file.path}{file.name}") for file in found))
