"""``omero fs importtime``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    fileset: Annotated[
        str | None, typer.Argument(metavar="[FILESET]", help="Fileset:ID, or its number.", show_default=False)
    ] = None,
    cache: Annotated[bool, typer.Option("--cache", help="Keep the times with the fileset, as an annotation.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="All times that were kept, as CSV.")] = False,
) -> None:
    """Tell how long the phases of an import took.

    Example: omero fs importtime Fileset:51 --cache

    Example: omero fs importtime --summary
    """
    from omeroadmin.cli.views.import_records import print_summary, print_times
    from omeroadmin.errors import usage_error
    from omeroadmin.workflows.file_lists import parse_fileset
    from omeroadmin.workflows.import_records import import_times, kept_times

    if (fileset is None) is not summary:
        raise usage_error(
            "options-conflict", "either a fileset or --summary is needed", "e.g. omero fs importtime Fileset:51"
        )
    if summary and cache:
        raise usage_error("options-conflict", "--cache needs a fileset", "e.g. omero fs importtime Fileset:51 --cache")
    wanted = None if fileset is None else parse_fileset(fileset)
    with connection.open() as (client, _):
        if wanted is None:
            print_summary(kept_times(client))
        else:
            print_times(import_times(client, wanted.id, keep=cache))
