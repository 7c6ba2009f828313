"""``omero load``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from omeroadmin.cli.input import read_input
from omeroadmin.cli.output import say
from omeroadmin.errors import ExitStatus
from omeroadmin.workflows.command_files import matching_files, parse_commands


def command(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Files; - is stdin.")] = None,
    pattern: Annotated[
        bool, typer.Option("--glob", "-g", help="Names are patterns; what they match is taken in sorted order.")
    ] = False,
    keep_going: Annotated[bool, typer.Option("--keep-going", "-k", help="Go on after a command that failed.")] = False,
) -> None:
    """Run the commands that files or stdin hold.

    A line is a command without `omero`; words are quoted as in a shell, but nothing else of a shell is known. Empty
    lines, and what follows a #, are left out. All files are read first: one that can't be understood stops all.

    The first command that fails ends it, with its exit status.

    Example: omero load --glob '/opt/omero/server/config/*.omero'
    """
    from omeroadmin.cli.quick import run

    names = matching_files(files or []) if pattern else files or ["-"]
    if pattern and not names:
        say(f"No file matches {' '.join(files or [])}.")
    commands = [found for name in names for found in parse_commands(read_input(name), "stdin" if name == "-" else name)]
    environment = dict(os.environ)
    for found in commands:
        status = run(found.words)
        # --omerodir of one command is not meant for the next.
        os.environ.clear()
        os.environ.update(environment)
        if status == ExitStatus.DONE:
            continue
        if status == ExitStatus.INTERRUPTED or not keep_going:
            say(f"{found.origin}: {found.title} ended with {status}; what comes after it was not run.")
            raise typer.Exit(status)
        say(f"Ignoring error: {found.origin}: {found.title} ended with {status}")
