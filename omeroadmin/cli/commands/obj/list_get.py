"""``omero obj list-get``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.object_arguments import FieldArgument, ObjectArgument
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    named: ObjectArgument,
    field: FieldArgument,
    index: Annotated[
        int | None, typer.Argument(metavar="INDEX", min=0, help="Which item, from 0; all by default.")
    ] = None,
) -> None:
    """Print items of a property that is a list.

    Links are printed as objects, pairs as (name,value), one a line.

    Example: omero obj list-get Dataset:51 imageLinks

    Example: omero obj list-get MapAnnotation:456 mapValue 0
    """
    from omeroadmin.workflows import objects

    wanted = objects.parse_object(named)
    with connection.open() as (client, _):
        if index is None:
            items = objects.get_list(client, wanted, field)
        else:
            items = [objects.get_item(client, wanted, field, index)]
    print_lines(*items)
