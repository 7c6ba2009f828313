"""``omero obj new``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.object_arguments import AssignmentsArgument
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="OMERO's type, e.g. Dataset or TagAnnotation.")],
    assignments: AssignmentsArgument = None,
) -> None:
    """Make an object: a container, an annotation or a link.

    Prints the object, e.g. Dataset:51, which other commands take. A link has the fields parent and child. A new object
    goes to your current group, and a link to the group of what it links.

    Example: omero obj new Dataset name=dataset-1

    Example: omero obj new ProjectDatasetLink parent=Project:101 child=Dataset:51

    Example: omero obj new FileAnnotation file=OriginalFile:275
    """
    from omeroadmin.workflows import objects

    with connection.open() as (client, _):
        made = objects.new(client, kind, assignments or [])
    print_lines(str(made))
