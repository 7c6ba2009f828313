"""``omero search``."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from omeroadmin.cli.output import Style, print_lines, print_table
from omeroadmin.cli.session import Connection, connects


class Field(StrEnum):
    """Parts of objects that can be searched by themselves."""

    NAME = "name"
    DESCRIPTION = "description"
    ANNOTATION = "annotation"
    FILE = "file"
    CONTENT = "content"


class DateType(StrEnum):
    """Dates of objects, by OMERO's names."""

    IMPORT = "import"
    ACQUISITION = "acquisitionDate"


@connects
def command(
    connection: Connection,
    words: Annotated[
        list[str], typer.Argument(metavar="[TYPE] QUERY", help="OMERO's type, e.g. Image; words to look for.")
    ],
    field: Annotated[list[Field] | None, typer.Option("--field", help="Part in which the words must be.")] = None,
    owner: Annotated[str, typer.Option("--owner", metavar="USER", help="Only what belongs to them: id or name.")] = "",
    in_group: Annotated[str, typer.Option("--in-group", metavar="GROUP", help="Only what is in it: id or name.")] = "",
    since: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First day, UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day, UTC.")] = None,
    date_type: Annotated[DateType, typer.Option("--date-type", help="Which date that is.")] = DateType.IMPORT,
    ids_only: Annotated[bool, typer.Option("--ids-only", help="Print Type:id, one a line.")] = False,
    offset: Annotated[int, typer.Option("--offset", min=0, max=999, help="How many to pass over.")] = 0,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many at most.")] = 25,
    style: Annotated[Style, typer.Option("--style", help="How to print the list.")] = Style.SQL,
) -> None:
    """Search the server's full-text index.

    Projects, datasets, screens, plates and images are found by their names, descriptions, annotations and files. All
    words of the query must be found; parts of words count less than whole ones. Finding nothing is no error.

    Example: omero search mitosis

    Example: omero search Dataset "mitosis 2026" --owner ada --field annotation
    """
    from omeroadmin.workflows.listing import search, search_wish

    wish = search_wish(
        words,
        fields=tuple(one.value for one in field or ()),
        owner=owner,
        group=in_group,
        since=since,
        until=until,
        which_date=date_type.value,
        offset=offset,
        limit=limit,
    )
    with connection.open() as (client, _):
        table = search(client, wish)
    if ids_only:
        print_lines(*(f"{row[0]}:{row[1]}" for row in table.rows))
    else:
        print_table("hits", table.columns, table.rows, style)
