"""Arguments that the commands of ``omero obj`` share."""

from __future__ import annotations

from typing import Annotated

import typer

ObjectArgument = Annotated[str, typer.Argument(metavar="OBJECT", help="Type and id, e.g. Dataset:51.")]
FieldArgument = Annotated[str, typer.Argument(metavar="FIELD", help="OMERO's name of the property, e.g. description.")]
KeyArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the pair.")]
AssignmentsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="FIELD=VALUE", help="Properties, e.g. name=dataset-1.")
]
