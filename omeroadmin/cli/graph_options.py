"""What ``omero delete``, ``chgrp`` and ``chown`` share: their options, and the way from a request to its report."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from omeroadmin.cli.confirm import agree_to
from omeroadmin.cli.output import say
from omeroadmin.cli.session import Connection
from omeroadmin.cli.views.graph import plan_lines, print_outcome
from omeroadmin.errors import usage_error
from omeroadmin.workflows.graph import GraphWish, parse_targets, parse_types, run

ObjectsArgument = Annotated[
    list[str], typer.Argument(metavar="OBJECT...", help="Objects: Image:51, Dataset:53-56,65 or Project/Image:51.")
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="TYPES", help="Types that go even where they usually stay."),
]
ExcludeOption = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="TYPES", help="Types that stay where they usually go.")
]
OrderedOption = Annotated[bool, typer.Option("--ordered", help="Each OBJECT for itself, in the order given.")]
ReportOption = Annotated[bool, typer.Option("--report", help="Print every object.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", "-n", help="Print what would be done, and stop.")]
WaitOption = Annotated[
    int, typer.Option("--wait", min=1, max=86_400, metavar="SECONDS", help="How long to wait for the answer.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def wish_of(
    operation: str,
    objects: list[str],
    include: list[str] | None,
    exclude: list[str] | None,
    *,
    ordered: bool,
    wait: int,
) -> GraphWish:
    """The options as one request.

    :raises AdminError: ``object-invalid``
    """
    return GraphWish(
        operation, parse_targets(objects), parse_types(include or ()), parse_types(exclude or ()), ordered, float(wait)
    )


def carry_out(
    connection: Connection, wish: GraphWish, *, destination: str, dry_run: bool, report: bool, as_json: bool
) -> None:
    """Move objects or give them away, and print what was done."""
    with connection.open() as (client, _):
        outcome = run(client, wish, dry_run=dry_run, destination=destination)
    print_outcome(outcome, wish, report=report, as_json=as_json)


def carry_out_delete(
    connection: Connection, wish: GraphWish, *, dry_run: bool, force: bool, report: bool, as_json: bool
) -> None:
    """Delete, if the user said so or says so now; off a terminal it stays a dry run otherwise, as OMERO does.

    :raises AdminError: ``options-conflict``, ``not-confirmed``
    """
    if dry_run and force:
        raise usage_error("options-conflict", "--dry-run and --force exclude each other", "give one of them")
    with connection.open() as (client, _):
        asks = not dry_run and not force and sys.stdin.isatty()
        outcome = run(client, wish, dry_run=not force)
        if asks:
            agree_to(plan_lines(outcome), yes=False, destructive=True)
            outcome = run(client, wish, dry_run=False)
    print_outcome(outcome, wish, report=report, as_json=as_json)
    if not dry_run and not force and not asks:
        say("omero: nothing was deleted: without --force or a terminal to ask at, this is a dry run")
