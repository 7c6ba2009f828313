"""``omero obj get``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.object_arguments import ObjectArgument
from omeroadmin.cli.output import Style, print_json, print_lines, print_table
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    named: ObjectArgument,
    field: Annotated[str | None, typer.Argument(metavar="FIELD", help="One property; all by default.")] = None,
    style: Annotated[Style, typer.Option("--style", help="How to print the properties.")] = Style.PLAIN,
) -> None:
    """Print an object's properties, or the value of one.

    Plain is FIELD=VALUE, one a line. Times are milliseconds since 1970 UTC; what is empty is shown as nothing.

    Example: omero obj get Dataset:51 name

    Example: omero obj get Dataset:51 --style json
    """
    from omeroadmin.cli.views.objects import FIELD_COLUMNS, field_lines, field_rows
    from omeroadmin.workflows import objects

    wanted = objects.parse_object(named)
    with connection.open() as (client, _):
        document = objects.get(client, wanted)
    if field is not None:
        print_lines(objects.value_text(objects.value_of(document, field)))
    elif style is Style.JSON:
        print_json("object", document)
    elif style is Style.PLAIN:
        print_lines(*field_lines(document))
    else:
        print_table("object", FIELD_COLUMNS, field_rows(document), style)
