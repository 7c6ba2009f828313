"""``omero obj map-set``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.object_arguments import FieldArgument, KeyArgument, ObjectArgument
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    named: ObjectArgument,
    field: FieldArgument,
    key_name: KeyArgument,
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="Its value; without one, the name's pairs are removed.")
    ] = None,
) -> None:
    """Set the value for a name in a property of pairs.

    The first pair of the name is changed; a new name comes last. Prints the object.

    Example: omero obj map-set MapAnnotation:456 mapValue colour green
    """
    from omeroadmin.workflows import objects

    wanted = objects.parse_object(named)
    with connection.open() as (client, _):
        changed = objects.set_pair(client, wanted, field, key_name, value)
    print_lines(str(changed))
