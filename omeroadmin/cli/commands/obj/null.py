"""``omero obj null``."""

from __future__ import annotations

from omeroadmin.cli.object_arguments import FieldArgument, ObjectArgument
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects


@connects
def command(connection: Connection, named: ObjectArgument, field: FieldArgument) -> None:
    """Make a property of an object empty.

    Prints the object.

    Example: omero obj null Dataset:51 description
    """
    from omeroadmin.workflows import objects

    wanted = objects.parse_object(named)
    with connection.open() as (client, _):
        changed = objects.set_null(client, wanted, field)
    print_lines(str(changed))
