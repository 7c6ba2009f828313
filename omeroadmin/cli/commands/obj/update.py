"""``omero obj update``."""

from __future__ import annotations

from omeroadmin.cli.object_arguments import AssignmentsArgument, ObjectArgument
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects


@connects
def command(connection: Connection, named: ObjectArgument, assignments: AssignmentsArgument = None) -> None:
    """Change properties of an object.

    Prints the object. See also: omero obj null, omero obj map-set.

    Example: omero obj update Dataset:51 description='A dataset for new DV images'
    """
    from omeroadmin.workflows import objects

    wanted = objects.parse_object(named)
    with connection.open() as (client, _):
        changed = objects.update(client, wanted, assignments or [])
    print_lines(str(changed))
