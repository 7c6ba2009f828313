"""``omero fs check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance
from omeroadmin.cli.percentage import part_of_all
from omeroadmin.errors import ExitStatus, usage_error


def command(
    data_dir: Annotated[
        Path | None, typer.Argument(metavar="[DATA_DIR]", help="The binary repository [omero.data.dir].")
    ] = None,
    checksums: Annotated[bool, typer.Option("--checksums", help="Read the files and compare their checksums.")] = False,
    sample: Annotated[
        str, typer.Option("--sample", metavar="N%", help="With --checksums: read only so many, chosen by chance.")
    ] = "100%",
    limit: Annotated[
        float, typer.Option("--limit", metavar="MB/S", min=0.0, help="Read no more than so much a second.")
    ] = 0.0,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, don't go on where the last check was broken off.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find files that are missing, of another size or changed.

    All that the database names are looked at, on the disk and in the database directly, with the server running or not.
    Each fault is named with the file's image, owner and group, and the exit status is 5.

    A check that was broken off goes on where it stopped.

    Example: omero fs check

    Example: omero fs check --checksums --sample 5% --limit 50
    """
    from omeroadmin.cli.cleansing import Teller
    from omeroadmin.cli.views.file_check import show_check
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.workflows.file_check import FileCheckWish, check_files

    share = part_of_all(sample)
    if share < 1 and not checksums:
        raise usage_error("options-conflict", "--sample chooses the files that are read", "add --checksums")
    instance = require_instance()
    wish = FileCheckWish(instance, load_settings(instance), data_dir, checksums, share, int(limit * 1e6), restart)
    check = check_files(wish, Teller())
    show_check(check, as_json=as_json, quiet=quiet)
    if check.progress.faulty:
        raise typer.Exit(ExitStatus.FAILED)
