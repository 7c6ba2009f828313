"""``omero obj map-get``."""

from __future__ import annotations

from omeroadmin.cli.object_arguments import FieldArgument, KeyArgument, ObjectArgument
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects


@connects
def command(connection: Connection, named: ObjectArgument, field: FieldArgument, key_name: KeyArgument) -> None:
    """Print the value for a name in a property of pairs.

    Example: omero obj map-get MapAnnotation:456 mapValue colour
    """
    from omeroadmin.workflows import objects

    wanted = objects.parse_object(named)
    with connection.open() as (client, _):
        value = objects.get_pair(client, wanted, field, key_name)
    print_lines(value)
