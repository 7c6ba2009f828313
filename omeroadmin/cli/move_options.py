"""What ``omero admin move-data`` and ``move-managed`` share: arguments, options and how they are carried out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.backup_first import back_up

New = Annotated[
    Path | None,
    typer.Argument(metavar="[NEW]", help="Directory that doesn't exist yet or is empty.", show_default=False),
]
Copy = Annotated[bool, typer.Option("--copy", help="Copy, also where a rename would do; what was there stays.")]
RemoveOld = Annotated[bool, typer.Option("--remove-old", help="After a copy, remove the old directory.")]
Undo = Annotated[bool, typer.Option("--undo", help="Take back a move that was interrupted.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")]


def move(
    name: str, new: Path | None, *, copy: bool, remove_old: bool, undo_it: bool, dry_run: bool, backup: bool, yes: bool
) -> None:
    """Plan, ask, and carry out.

    :param name: the property that says where the files are
    """
    from omeroadmin.cli.confirm import agree, show_plan
    from omeroadmin.cli.context import require_instance
    from omeroadmin.cli.progress import step_listener
    from omeroadmin.cli.views.lifecycle import StderrReporter
    from omeroadmin.cli.views.moving import copy_watcher, show_moved
    from omeroadmin.errors import usage_error
    from omeroadmin.workflows.move import DATA, MoveWish, carry_out, plan_move, plan_undo, undo

    if (new is None) != undo_it:
        raise usage_error("options-conflict", "give either the new directory or --undo", "add --help")
    instance, reporter = require_instance(), StderrReporter()
    if new is None:
        plan = plan_undo(instance, name, reporter)
    else:
        plan = plan_move(MoveWish(instance, name, new, copy, remove_old), copy_watcher(), reporter)
    if dry_run or not plan.plan:
        show_plan(plan.plan)
        return
    agree(plan.plan, yes=yes, destructive=True)
    if backup and not undo_it:
        back_up(instance, "move-data" if name == DATA else "move-managed")
    if new is None:
        undo(plan, step_listener())
    else:
        carry_out(plan, step_listener(), reporter)
    show_moved(plan, undone=new is None)
