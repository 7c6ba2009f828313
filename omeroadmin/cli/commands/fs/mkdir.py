"""``omero fs mkdir``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    path: Annotated[str, typer.Argument(metavar="DIRECTORY", help="Path below the managed repository.")],
    parents: Annotated[
        bool, typer.Option("--parents", help="Also make the directories above; one that is there is no error.")
    ] = False,
) -> None:
    """Make a directory in the managed repository.

    For administrators. It belongs to root; another disk may be mounted there, and omero.fs.repo.path name it.

    Example: omero fs mkdir volume-B
    """
    from omeroadmin.workflows.file_lists import make_directory

    with connection.open() as (client, _):
        make_directory(client, path, parents=parents)
