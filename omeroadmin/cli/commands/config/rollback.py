"""``omero config rollback``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.config_options import WAIT_DEFAULT, Wait
from omeroadmin.cli.confirm import agree_to
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.cli.views.history import state_lines, summary
from omeroadmin.profiles.history import revision_number
from omeroadmin.profiles.rollback import plan_rollback, roll_back


def command(
    revision: Annotated[str, typer.Argument(metavar="REV", help="Revision whose outcome is wanted again.")],
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Change this profile only.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would change, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    wait: Wait = WAIT_DEFAULT,
) -> None:
    """Make all properties again what they were after a revision.

    That is a new revision, so it can be rolled back itself. Profiles that came later are dropped, and the profile
    that was active then is active again. The server takes the values when it is started.

    Example: omero config rollback 12 --dry-run
    """
    config_xml, number = config_file(), revision_number(revision)
    planned = plan_rollback(config_xml, number, profile)
    lines = [f"Plan: roll back to revision {number}", *state_lines(planned, show_secrets=False)]
    if dry_run:
        print_lines(*lines if planned else [f"Already as after revision {number}: nothing to do"])
        return
    if planned:
        agree_to(lines, yes=yes, destructive=False)
    changed = roll_back(config_xml, number, profile, cause="config rollback", wait=wait)
    words = summary(changed) if changed else "nothing to do"
    print_lines(f"{'Rolled back to' if changed else 'Already as after'} revision {number}: {words}")
