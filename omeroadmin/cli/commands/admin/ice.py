"""``omero admin ice``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.context import require_instance


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]...", help="A command, e.g. server list.", show_default=False),
    ] = None,
    execute: Annotated[
        str | None, typer.Option("-e", metavar="COMMANDS", help="Commands, separated by semicolons.")
    ] = None,
) -> None:
    """Ask the grid as icegridadmin does: nodes, servers, states.

    Without a command, at a prompt. With the driver icegrid this is icegridadmin itself. The exit status is 1 where the
    grid refuses a command. Passwords are masked: omero config get --show-password.

    Example: omero admin ice server state Blitz-0
    """
    from omeroadmin.cli.ice_session import answer, converse
    from omeroadmin.workflows.driver import instance_driver

    driver = instance_driver(require_instance())
    line = "; ".join(part for part in (execute, " ".join(words or ())) if part)
    failed = not (answer(require_instance(), driver, line) if line else converse(require_instance(), driver))
    if failed:
        raise typer.Exit(1)
