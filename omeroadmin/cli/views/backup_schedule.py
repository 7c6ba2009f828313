"""Shows the files of a schedule, and what is left to do."""

from __future__ import annotations

from pathlib import Path

from omeroadmin.backups.schedule import ScheduleKind
from omeroadmin.cli.output import print_lines
from omeroadmin.steps.kinds import WriteFile
from omeroadmin.steps.plan import Plan


def show_files(plan: Plan) -> None:
    """Each file as it would be."""
    if not plan:
        print_lines(f"{plan.title}: nothing to do")
    for step in plan:
        if isinstance(step, WriteFile):
            print_lines(f"# {step.path} (mode {step.mode or 0:04o})", *step.content.decode().splitlines(), "")


def show_next_steps(kind: ScheduleKind, into: Path | None) -> None:
    """What makes the files count."""
    if kind is ScheduleKind.CRON:
        print_lines("cron runs it each day from now on." if into is None else "Put it where cron runs it each day.")
        return
    link = "" if into is None else f"systemctl link {into}/omero-backup.service {into}/omero-backup.timer && "
    print_lines(f"Now: {link}systemctl daemon-reload && systemctl enable --now omero-backup.timer")
