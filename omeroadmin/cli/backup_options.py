"""Options that the commands of ``omero backup`` share."""

from __future__ import annotations

from typing import Annotated

import typer

Target = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="Where snapshots are kept [omero.backup.target]."),
]
