"""Prints what a delete, a move or a change of ownership did, as OMERO's commands do."""

from __future__ import annotations

import dataclasses

from omeroadmin.cli.output import print_json, print_lines, say
from omeroadmin.errors import printable
from omeroadmin.workflows.graph import GraphOutcome, GraphWish, Objects, Part

_COMMANDS = {"delete": "omero.cmd.Delete2", "chgrp": "omero.cmd.Chgrp2", "chown": "omero.cmd.Chown2"}


def print_outcome(outcome: GraphOutcome, wish: GraphWish, *, report: bool, as_json: bool) -> None:
    """A line for each command, with ``--report`` its details; warnings on stderr."""
    if as_json:
        print_json("graph", dataclasses.asdict(outcome))
    else:
        for number, plan in enumerate(outcome.plans):
            targets = (wish.targets[number],) if wish.ordered else wish.targets
            # Users and other objects are two commands of one line.
            if wish.ordered or number == 0:
                print_lines(f"{_COMMANDS[outcome.operation]} {' '.join(str(target) for target in targets)}... ok")
            if report:
                print_lines(*_report(outcome, plan))
    for plan in outcome.plans:
        for warning in plan.warnings:
            say(f"omero: warning: {printable(warning)}")
    if outcome.dry_run:
        say("Dry run: nothing was changed.")


def plan_lines(outcome: GraphOutcome) -> list[str]:
    """What is going to be deleted, to be agreed to."""
    lines = ["This will be deleted:"]
    for plan in outcome.plans:
        lines += [f"  {one.count} {one.type}: {_shortened(one.ids)}" for one in plan.deleted]
        if plan.kept:
            lines += ["This stays:", *(f"  {_line(one, _shortened(one.ids))}" for one in plan.kept)]
    return lines if len(lines) > 1 else ["There is nothing to delete."]


def _report(outcome: GraphOutcome, plan: Part) -> list[str]:
    lines = [f"Steps: {plan.steps}", f"Elapsed time: {outcome.elapsed_ms / 1000:.3f} secs.", "Flags: []"]
    for title, objects in (
        ("Included objects", plan.included),
        ("Deleted objects", plan.deleted),
        ("Kept objects", plan.kept),
    ):
        if objects:
            lines += [title, *(f"  {_line(one, one.ids)}" for one in objects)]
    return lines


def _line(one: Objects, ids: str) -> str:
    reason = f" ({one.reason})" if one.reason else ""
    return printable(f"{one.type}:{ids}{reason}")


def _shortened(ids: str, most: int = 60) -> str:
    return ids if len(ids) <= most else ids[:most].rpartition(",")[0] + ",…"
