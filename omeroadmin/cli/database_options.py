"""Options by which commands that make an instance name a PostgreSQL that others run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DatabaseHost = Annotated[
    str | None, typer.Option("--db-host", metavar="HOST", help="A PostgreSQL that others run, not one of its own.")
]
DatabasePort = Annotated[int, typer.Option("--db-port", metavar="PORT", min=1, max=65535, help="Its port.")]
DatabaseName = Annotated[
    str, typer.Option("--db-name", metavar="NAME", help="The database, which exists and is empty.")
]
DatabaseUser = Annotated[str, typer.Option("--db-user", metavar="ROLE", help="The role, which owns the database.")]
DatabasePasswordFile = Annotated[
    Path | None, typer.Option("--db-password-file", metavar="FILE", help="File with the role's password.")
]
PortsPrefix = Annotated[
    str | None, typer.Option("--ports-prefix", metavar="N", help="Digit before all ports: 1 gives 14064.")
]
