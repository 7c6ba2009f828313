"""``omero import``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects
from omeroadmin.errors import ExitStatus


class Exclusion(StrEnum):
    """How files are told that the server has already."""

    CLIENTPATH = "clientpath"


@connects
def command(
    connection: Connection,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files and folders to import.")],
    name: Annotated[str | None, typer.Option("-n", "--name", help="Name of the images instead of the files'.")] = None,
    depth: Annotated[int, typer.Option("--depth", min=0, help="Levels of folders to look into below each PATH.")] = 4,
    exclude: Annotated[
        Exclusion | None,
        typer.Option("--exclude", help="Leave out files that were imported from the same path before."),
    ] = None,
    list_only: Annotated[bool, typer.Option("-f", help="Print the files that would be imported, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of Image:ID lines.")] = False,
) -> None:
    """Import images.

    Each file becomes a fileset, checked against its checksum on the way.

    Prints a line Image:ID for each new image. A file that fails is named on stderr and doesn't stop the others;
    the exit status is 5 then.

    Example: omero import --exclude clientpath ~/images
    """
    from omeroadmin.access.walk import find_files
    from omeroadmin.cli.views.importing import ImportView, print_files
    from omeroadmin.workflows.importing import import_files

    found = find_files(paths, depth=depth)
    if list_only:
        print_files(found)
        return
    with connection.open() as (client, session), ImportView(found, as_json) as view:
        idle_seconds = session.time_to_idle_ms / 1000
        excluded = exclude is Exclusion.CLIENTPATH
        result = import_files(client, found, view.watcher, idle_seconds=idle_seconds, name=name, exclude_known=excluded)
    view.finish(result)
    if result.failed:
        raise typer.Exit(ExitStatus.FAILED)
