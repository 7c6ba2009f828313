"""A roll-out with its questions and its progress."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.cli.confirm import ask
from omeroadmin.cli.output import say
from omeroadmin.cli.rollout_options import rollouts_directory
from omeroadmin.cli.views.rollout_progress import ApplyProgress
from omeroadmin.cli.views.rollouts import PlanProgress, plan_lines
from omeroadmin.provisioning.saved_plan import require_same
from omeroadmin.workflows.rollout import Rollout, Way, scope_of

if TYPE_CHECKING:
    from omeroadmin.provisioning.rollout_choice import RolloutChoice
    from omeroadmin.provisioning.rollout_report import RolloutReport


def roll_out(
    choice: RolloutChoice,
    way: Way,
    serial: int,
    saved: tuple[Path, dict[str, Any]] | None,
    *,
    yes: bool,
    quiet: bool,
) -> RolloutReport:
    """Plan, ask, change.

    :param serial: hosts at a time; 0: as the playbooks say
    :param saved: file, and states and digests of the plan in it
    :param yes: whether nobody is asked
    :param quiet: whether no more is shown than an answer needs
    :raises AdminError: ``plan-outdated``, ``not-confirmed``, and those of the files
    """
    scope = scope_of(choice)
    progress = PlanProgress(quiet=quiet)
    with Rollout(scope.hosts, scope.inventory, way, progress) as rollout:
        with progress:
            plan = rollout.plan(scope.playbooks, digest=saved is not None)
        if saved is not None:
            require_same(*saved, plan)
        if plan.has_changes and ((sys.stderr.isatty() and not quiet) or not yes):
            for line in plan_lines(plan, scope.absent):
                say(line)
        if plan.has_changes and not yes:
            ask()
        with ApplyProgress(quiet=quiet) as bars:
            rollout.listen(bars)
            return rollout.apply(scope.playbooks, rollouts_directory(), serial)
