"""Options by which commands that make an instance name a PostgreSQL that others run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from omeroadmin.workflows.install import ExternalDatabase

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


def external_database(
    host: str | None, port: int, name: str, user: str, password_file: Path | None
) -> ExternalDatabase | None:
    """The database that the options name; ``None`` where they name none.

    :raises AdminError: ``password-file-needed``, ``file-not-read``
    """
    from omeroadmin.workflows.install import read_external_database

    return None if host is None else read_external_database(host, port, name, user, password_file)
