"""``omero chown``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.graph_options import (
    DryRunOption,
    ExcludeOption,
    IncludeOption,
    JsonOption,
    ObjectsArgument,
    OrderedOption,
    ReportOption,
    WaitOption,
    carry_out,
    wish_of,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    new_owner: Annotated[str, typer.Argument(metavar="USER", help="User to give to: id, name or User:5.")],
    objects: ObjectsArgument,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    ordered: OrderedOption = False,
    report: ReportOption = False,
    dry_run: DryRunOption = False,
    wait: WaitOption = 3600,
    as_json: JsonOption = False,
) -> None:
    """Give objects and what hangs on them to a user.

    All or nothing. You must be an administrator who may change owners, or own the group that the
    objects and the user are in. Experimenter:3 stands for everything that user 3 has.

    Example: omero chown jane Project:51 --dry-run --report

    Example: omero chown 10 Experimenter:1,3,7
    """
    wish = wish_of("chown", objects, include, exclude, ordered=ordered, wait=wait)
    carry_out(connection, wish, destination=new_owner, dry_run=dry_run, report=report, as_json=as_json)
