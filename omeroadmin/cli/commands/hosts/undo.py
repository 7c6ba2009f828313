"""``omero hosts undo``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.hosts_options import AcceptNew, BecomeRoot, Forks, InventoryFile, Json, Limit, Local, Quiet
from omeroadmin.cli.rollout_options import Yes


def command(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Its name, or the beginning of it.")],
    inventory: InventoryFile = None,
    limit: Limit = "",
    forks: Forks = 10,
    become: BecomeRoot = None,
    accept_new: AcceptNew = False,
    local: Local = False,
    yes: Yes = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Take back what a run has changed, as far as can be.

    Last things first. Files get their earlier content, owner and mode back; of secrets no copy is kept. Refused where a
    later run has changed the same hosts. What has no way back, such as programs that were run, is left.

    Example: omero hosts undo 20261124-101500-314159
    """
    from omeroadmin.cli.confirm import ask
    from omeroadmin.cli.hosts_options import inventory_path, wished_rights
    from omeroadmin.cli.rollout_options import finish, require_answer, rollouts_directory
    from omeroadmin.cli.views.rollout_progress import ApplyProgress
    from omeroadmin.cli.views.rollout_reports import print_report, print_report_json, say_changes
    from omeroadmin.workflows.rollout import Rollout, Way, hosts_of, plan_undo

    require_answer(f"omero hosts report {run}", yes=yes)
    directory = rollouts_directory()
    known = hosts_of(inventory if local else inventory_path(inventory), limit, local=local)
    undone, hosts = plan_undo(directory, run, limit, known)
    if not yes:
        say_changes(undone, [host.name for host in hosts])
        ask()
    way = Way(local, forks, accept_new, wished_rights(become))
    with ApplyProgress(quiet=quiet) as bars, Rollout(hosts, known, way, bars) as rollout:
        report = rollout.undo(undone.run, directory)
    if as_json:
        print_report_json(report)
    else:
        print_report(report, quiet=quiet)
    finish(report.exit_status, changes=False, detailed=False)
