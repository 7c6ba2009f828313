"""``omero download``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    named: Annotated[
        str, typer.Argument(metavar="OBJECT", help="OriginalFile:ID, FileAnnotation:ID, Image:ID or Fileset:ID.")
    ],
    target: Annotated[str, typer.Argument(metavar="TARGET", help="File or directory to save to; - is stdout.")],
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Save files of the server on this machine.

    Files of an Image or a Fileset are saved below TARGET/Fileset_ID. A number alone is an OriginalFile's. Checksums are
    compared; a file that is there already with the same content is left as it is.

    Example: omero download OriginalFile:275 analysis.csv

    Example: omero download Image:51 originals
    """
    import sys

    from omeroadmin.cli.output import say
    from omeroadmin.workflows import contents

    wanted = contents.parse_download(named)
    with connection.open() as (client, _):
        if target == "-":
            contents.stream(client, wanted, sys.stdout.buffer.write)
            return
        for done in contents.download(client, wanted, Path(target), force=force):
            if not connection.quiet:
                say(f"OriginalFile:{done.file.id} {'is there already' if done.present else 'saved'}: {done.path}")
