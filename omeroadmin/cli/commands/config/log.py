"""``omero config log``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import Style, print_json, print_lines, print_table
from omeroadmin.cli.views.history import (
    LOG_COLUMNS,
    log_rows,
    newest,
    revision_data,
    revision_lines,
    state_data,
)
from omeroadmin.profiles.history import read_history, revision_number


def command(
    revision: Annotated[
        str | None, typer.Argument(metavar="[REV]", help="Show all of one revision.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=0, help="Revisions to list; 0 for all.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, each revision with all that it changed.")] = False,
) -> None:
    """List what has changed the properties, newest first.

    A revision is one change: when, who, by which command, and what it did to which property. Secrets are masked.

    What another tool has changed since is listed first; it becomes a revision with the next change.

    Example: omero config log --limit 5
    """
    history = read_history(config_file())
    chosen = newest(history, limit) if revision is None else (history.revision(revision_number(revision)),)
    if json:
        pending = state_data(history.pending, show_secrets=False) if history.pending else None
        print_json("config/log", {"revisions": [revision_data(item) for item in chosen], "pending": pending})
    elif revision is None:
        print_table("config/log", LOG_COLUMNS, log_rows(history, limit), Style.SQL)
    else:
        print_lines(*revision_lines(chosen[0], show_secrets=False))
