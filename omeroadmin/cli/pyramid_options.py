"""Options of ``omero admin fixpyramids`` and ``removepyramids``, and how they are carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from omeroadmin.workflows.pyramids import PyramidWish

DryRun = Annotated[bool, typer.Option("--dry-run", help="List them and change nothing.")]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="Wait until PixelData has made the new ones.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def deal_with_pyramids(wish: PyramidWish, *, dry_run: bool, wait: float, yes: bool, as_json: bool) -> None:
    """Plan, ask, carry out, and wait where that is wished."""
    from omeroadmin.cli.confirm import agree_to
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.views import pyramids as view
    from omeroadmin.workflows.pyramids import carry_out, plan_pyramids, wait_for

    instance = require_instance()
    plan = plan_pyramids(instance, wish)
    if dry_run or not (plan.remove or plan.missing):
        view.show_plan(plan, as_json=as_json)
        return
    agree_to(view.plan_lines(plan), yes=yes, destructive=True)
    report = carry_out(instance, plan)
    view.show_report(plan, report, as_json=as_json)
    if wait:
        wait_for(instance, report, wait)
