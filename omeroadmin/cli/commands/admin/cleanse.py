"""``omero admin cleanse``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.cleanse_options import Subdirectory, min_age_seconds
from omeroadmin.cli.context import require_instance
from omeroadmin.cli.session import Connection, connects
from omeroadmin.errors import ExitStatus, usage_error


@connects
def command(
    connection: Connection,
    data_dir: Annotated[
        Path | None, typer.Argument(metavar="[DATA_DIR]", help="The binary repository [omero.data.dir].")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be moved.")] = False,
    subdirectory: Annotated[
        list[Subdirectory] | None, typer.Option("--subdirectory", help="Only this part; may be repeated.")
    ] = None,
    min_age: Annotated[
        str, typer.Option("--min-age", metavar="AGE", help="Leave alone what is younger: 90s, 30m, 12h, 7d.")
    ] = "0s",
    quarantine: Annotated[
        Path | None, typer.Option("--quarantine", metavar="DIR", help="Keep quarantines here, not in the repository.")
    ] = None,
    filesets: Annotated[
        bool, typer.Option("--filesets", help="Also have the server delete filesets without images; needs a login.")
    ] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Remove for good, without a quarantine.")] = False,
    restore: Annotated[str, typer.Option("--restore", metavar="ID", help="Put back what is in a quarantine.")] = "",
    purge: Annotated[
        str,
        typer.Option("--purge", metavar="ID", help="Remove a quarantine for good; all: those older than --min-age."),
    ] = "",
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Name each file.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Move what the database doesn't name out of the repository.

    Orphaned files, pixels, pyramids, thumbnails, leftovers of imports, empty directories, stale locks. Filesets
    without images are reported. The server may be running. What can't be judged is named, and the exit status is 5.

    Example: omero admin cleanse --dry-run -v

    Example: omero admin cleanse --restore 20261128T210000Z
    """
    from omeroadmin.cli.cleansing import cleanse, purge_all, put_back
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.workflows.cleanse import CleanseWish

    if sum(map(bool, (restore, purge, dry_run))) > 1:
        raise usage_error("options-conflict", "--dry-run, --restore and --purge exclude each other", "give one of them")
    instance = require_instance()
    trees = tuple(str(one) for one in subdirectory or ())
    age = min_age_seconds(min_age)
    settings = load_settings(instance)
    wish = CleanseWish(instance, settings, data_dir, trees, age, quarantine, delete, not dry_run)
    if restore:
        succeeded = put_back(wish, restore, as_json=as_json)
    elif purge:
        succeeded = purge_all(wish, "" if purge == "all" else purge, yes=yes, as_json=as_json)
    else:
        succeeded = cleanse(wish, connection if filesets else None, verbose=verbose, yes=yes, as_json=as_json)
    if not succeeded:
        raise typer.Exit(ExitStatus.FAILED)
