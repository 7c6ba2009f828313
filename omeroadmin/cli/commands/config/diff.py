"""``omero config diff``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_json, print_lines
from omeroadmin.cli.views.history import state_data, state_lines
from omeroadmin.errors import ExitStatus, usage_error
from omeroadmin.profiles.comparison import compare, compare_defaults


def command(
    first: Annotated[str | None, typer.Argument(metavar="[REV|PROFILE]", help="What to compare.")] = None,
    second: Annotated[str | None, typer.Argument(metavar="[REV|PROFILE]", help="With what; now by default.")] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Compare with the declared defaults.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    show_password: Annotated[bool, typer.Option("--show-password", help="Show secrets.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 8 where something differs.")] = False,
) -> None:
    """Show what differs between two revisions or profiles.

    Without arguments: what the last change did. With one revision: all that has changed since. With one profile: how
    the active one differs from it.

    A revision is its number in `omero config log`; @12 is revision 12 even where a profile is called 12.

    Example: omero config diff --defaults
    """
    config_xml = config_file()
    if defaults and second is not None:
        raise usage_error("comparison-unknown", "--defaults compares one revision or profile", "leave the other out")
    words = [word for word in (first, second) if word is not None]
    found = compare_defaults(config_xml, first) if defaults else compare(config_xml, words)
    if json:
        change = state_data(found.change, show_secrets=show_password)
        print_json("config/diff", {"old": found.old, "new": found.new, **change})
    else:
        print_lines(*state_lines(found.change, show_secrets=show_password))
    if exit_code and found.change:
        raise typer.Exit(ExitStatus.CHANGES_PENDING)
