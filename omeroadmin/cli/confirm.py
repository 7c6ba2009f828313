"""Shows a plan and asks before it is carried out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from omeroadmin.cli.output import print_lines, say
from omeroadmin.errors import AdminError, ExitStatus, usage_error
from omeroadmin.steps.plan import Plan


def show_plan(plan: Plan) -> None:
    """The plan as the command's result, for ``--dry-run``."""
    print_lines(*plan_lines(plan))


def plan_lines(plan: Plan) -> list[str]:
    """Title and numbered steps."""
    if not plan:
        return [f"{plan.title}: nothing to do"]
    return [f"Plan: {plan.title}", *(f"  {number:2d}. {line}" for number, line in enumerate(plan.lines(), start=1))]


def agree(plan: Plan, *, yes: bool, destructive: bool) -> None:
    """Show the plan and get the go-ahead: ``--yes``, an answer on a terminal, or, for what destroys nothing, silence.

    :raises AdminError: ``not-confirmed``, ``confirmation-needed``
    """
    agree_to(plan_lines(plan), yes=yes or not plan, destructive=destructive)


def agree_to(lines: Sequence[str], *, yes: bool, destructive: bool) -> None:
    """Show what is going to be done and get the go-ahead, as :func:`agree` does.

    :raises AdminError: ``not-confirmed``, ``confirmation-needed``
    """
    for line in lines:
        say(line)
    if yes:
        return
    if not sys.stdin.isatty():
        if destructive:
            raise usage_error(
                "confirmation-needed",
                "this changes or removes what is there, and there is no terminal to ask at",
                "look at the plan with --dry-run, then add --yes",
            )
        return
    ask()


def ask() -> None:
    """Get the go-ahead from the terminal.

    :raises AdminError: ``not-confirmed``
    """
    try:
        # Whoever sees the question may answer it with Ctrl-C before it is waited for.
        sys.stderr.write("Go ahead? [y/N] ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        answer = ""
    if not answer.endswith("\n"):
        # Ctrl-C and Ctrl-D end no line.
        say("")
    if answer.strip().lower() not in ("y", "yes"):
        raise AdminError("not-confirmed", "nothing was changed", exit_status=ExitStatus.INTERRUPTED)
