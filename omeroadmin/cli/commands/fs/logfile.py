"""``omero fs logfile``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    fileset: Annotated[str, typer.Argument(metavar="FILESET", help="Fileset:ID, or its number.")],
    target: Annotated[str, typer.Argument(metavar="[FILE]", help="File to save the log to; - is stdout.")] = "-",
    name: Annotated[bool, typer.Option("--name", help="Print the log's path below the managed repository.")] = False,
    size: Annotated[bool, typer.Option("--size", help="Print the log's size in bytes.")] = False,
) -> None:
    """Print the log of a fileset's import.

    A file that is there is not replaced.

    Example: omero fs logfile Fileset:51
    """
    import sys

    from omeroadmin.cli.output import print_lines
    from omeroadmin.errors import printable, usage_error
    from omeroadmin.workflows import contents, import_records
    from omeroadmin.workflows.file_lists import parse_fileset

    wanted = parse_fileset(fileset)
    if name and size:
        raise usage_error("options-conflict", "--name and --size can't be given together", "ask for one of them")
    with connection.open() as (client, _):
        log = import_records.find_log(client, wanted.id)
        if name or size:
            print_lines(printable(f"{log.path}{log.name}") if name else str(log.size))
        elif target == "-":
            import_records.read_log(client, log, sys.stdout.buffer.write)
        else:
            contents.save(client, log, Path(target))
