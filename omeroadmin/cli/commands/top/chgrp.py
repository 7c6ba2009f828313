"""``omero chgrp``."""

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
    group: Annotated[str, typer.Argument(metavar="GROUP", help="Group to move to: id, name or Group:5.")],
    objects: ObjectsArgument,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    ordered: OrderedOption = False,
    report: ReportOption = False,
    dry_run: DryRunOption = False,
    wait: WaitOption = 3600,
    as_json: JsonOption = False,
) -> None:
    """Move objects and what hangs on them to a group.

    All or nothing. You must own them and be a member of the group, or be an administrator who may move data. Links to
    what stays are removed. Files stay where they are on the server's disk.

    Example: omero chgrp lab_group Project:51 --dry-run --report

    Example: omero chgrp Group:5 Dataset:53-56 --exclude Image
    """
    wish = wish_of("chgrp", objects, include, exclude, ordered=ordered, wait=wait)
    carry_out(connection, wish, destination=group, dry_run=dry_run, report=report, as_json=as_json)
