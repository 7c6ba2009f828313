"""Carries a planned restore out: the same, whatever is restored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from omeroadmin.cli.confirm import agree, show_plan
from omeroadmin.cli.output import say
from omeroadmin.cli.progress import step_listener
from omeroadmin.cli.views import backups as view
from omeroadmin.errors import ExitStatus, usage_error

if TYPE_CHECKING:
    from omeroadmin.workflows.restore import RestorePlan


def finish_restore(restore: RestorePlan, *, dry_run: bool, yes: bool, overwrite: bool, start: bool) -> None:
    """Show the plan, get the go-ahead, restore, and tell how it went.

    :param overwrite: whether what is there may be replaced, so that it has to be agreed to
    :param start: whether the restored server is started in the end
    :raises AdminError: ``nothing-to-start``, ``not-confirmed``, ``confirmation-needed``,
        ``restore-ports-taken``, and those of the steps
    """
    from omeroadmin.workflows.restore import carry_out, start_restored
    from omeroadmin.workflows.restore_ports import ports_clash

    if start and not restore.makes_instance:
        raise usage_error("nothing-to-start", "files alone are restored, and no server", "leave --start out")
    clash = ports_clash(restore.settings) if restore.makes_instance else None
    if clash is not None:
        if start:
            raise clash
        say(f"omero: {clash.message}")
        say(f"  -> stop what has it before the start, or {clash.hint}")
    if dry_run:
        show_plan(restore.plan)
        return
    agree(restore.plan, yes=yes, destructive=overwrite)
    report = carry_out(restore, step_listener())
    view.show_restored(restore, report)
    if report.faults.count:
        raise typer.Exit(ExitStatus.FAILED)
    if start:
        start_restored(restore)
