"""``omero db dump``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(directory: Annotated[Path, typer.Argument(metavar="DIR", help="Directory to make.")]) -> None:
    """Dump the database, for the way back from a change of it.

    The database alone; a backup holds files and properties as well (omero backup create). The directory is for its
    owner only, and pg_restore reads it. A database of the instance's own must be running.

    Example: omero db dump /backup/before-upgrade
    """
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.output import print_lines
    from omeroadmin.workflows.database import dump_instance_database

    dump_instance_database(require_instance(), directory.absolute())
    print_lines(f"Dumped to {directory}")
