"""``omero fs usage``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.list_options import StyleOption
from omeroadmin.cli.output import Style
from omeroadmin.cli.session import Connection, connects
from omeroadmin.cli.several_values import SeveralValues
from omeroadmin.cli.usage_options import SortBy, SumBy, Units

COMMAND_CLASS = SeveralValues


@connects
def command(
    connection: Connection,
    objects: Annotated[
        list[str] | None, typer.Argument(metavar="[OBJECT...]", help="Image:1,2 or Dataset:*; by default all of yours.")
    ] = None,
    style: StyleOption = Style.SQL,
    wait: Annotated[int, typer.Option("--wait", metavar="SECONDS", help="How long to wait; below 0: for ever.")] = -1,
    size_only: Annotated[bool, typer.Option("--size_only", "--size-only", help="Print bytes only.")] = False,
    report: Annotated[bool, typer.Option("--report", help="Print a row for each kind of files.")] = False,
    sum_by: Annotated[list[SumBy] | None, typer.Option("--sum-by", help="What the report keeps apart.")] = None,
    sort_by: Annotated[list[SortBy] | None, typer.Option("--sort-by", help="What the report is sorted by.")] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Sort the other way around.")] = False,
    units: Annotated[Units | None, typer.Option("--units", help="Unit of sizes, in steps of 1024.")] = None,
    human: Annotated[bool, typer.Option("--human-readable", help="Choose units that fit.")] = False,
    groups: Annotated[bool, typer.Option("--groups", help="All data of your groups that you may see.")] = False,
) -> None:
    """Tell how much room data takes on the server.

    A file that several objects have counts once. The report keeps kinds of files apart (--sum-by component); users and
    groups are shown by their ids.

    Example: omero fs usage Project:1,2 Dataset:5 --units M --report

    Example: omero fs usage Experimenter:* --report --sum-by user component --sort-by size --reverse
    """
    from omeroadmin.cli.output import print_lines
    from omeroadmin.cli.views.usage import print_document, print_report, print_total
    from omeroadmin.errors import usage_error
    from omeroadmin.workflows.usage import own_targets, parse_targets, usage

    if units and human:
        raise usage_error("options-conflict", "--units and --human-readable can't be given together", "choose one")
    targets = parse_targets(objects) if objects else None
    with connection.open() as (client, session):
        if targets is None:
            targets = own_targets(client, session, groups=groups)
        found = usage(client, targets, seconds=None if wait < 0 else max(float(wait), 0.001))
    unit = units.value if units else ""
    if size_only:
        print_lines(str(found.size))
    elif style is Style.JSON:
        print_document(found)
    else:
        print_total(found, unit, human=human)
        if report and found.size:
            by = [one.value for one in sum_by or (SumBy.COMPONENT,)]
            order = [one.value for one in sort_by or ()]
            print_report(found, by, order, style, unit, human=human, reverse=reverse)
