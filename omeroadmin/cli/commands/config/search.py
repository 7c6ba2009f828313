"""``omero config search``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import values_set
from omeroadmin.cli.output import Style, print_table
from omeroadmin.cli.views.catalog import SEARCH_COLUMNS, search_rows
from omeroadmin.schema.describe import search_settings


def command(
    words: Annotated[list[str], typer.Argument(metavar="WORDS...", help="All of them must be found.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON document.")] = False,
) -> None:
    """Find properties by words of their names and descriptions.

    Those with the words in their names come first.

    Example: omero config search session timeout
    """
    rows = search_rows(search_settings(words), values_set(), short=not as_json)
    print_table("config/search", SEARCH_COLUMNS, rows, Style.JSON if as_json else Style.SQL)
