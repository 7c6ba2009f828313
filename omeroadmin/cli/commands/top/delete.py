"""``omero delete``."""

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
    carry_out_delete,
    wish_of,
)
from omeroadmin.cli.session import Connection, connects


@connects
def command(
    connection: Connection,
    objects: ObjectsArgument,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    ordered: OrderedOption = False,
    report: ReportOption = False,
    dry_run: DryRunOption = False,
    force: Annotated[bool, typer.Option("--force", "--yes", "-y", help="Delete without asking.")] = False,
    wait: WaitOption = 3600,
    as_json: JsonOption = False,
) -> None:
    """Delete objects and what hangs on them.

    All or nothing. What a container holds goes with it, unless another one holds it as well or it is another user's.
    Tags, terms and attached files stay unless they are included. The images of a fileset go together or not at all.

    Without --force it asks on a terminal, and is a dry run elsewhere.

    Example: omero delete Project:51 Dataset:53-56,65 --dry-run --report

    Example: omero delete Project/Image:51 --include FileAnnotation,TagAnnotation --force
    """
    wish = wish_of("delete", objects, include, exclude, ordered=ordered, wait=wait)
    carry_out_delete(connection, wish, dry_run=dry_run, force=force, report=report, as_json=as_json)
