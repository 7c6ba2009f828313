"""The program's entry: what can be answered without Typer is answered before Typer is imported.

``import typer`` alone costs several times the start of Python, and cron jobs and configuration management call
the plain reads thousands of times.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main() -> None:
    """``omero`` on the command line."""
    sys.exit(run(sys.argv[1:]))


def main_admin() -> None:
    """``omero-admin start`` is ``omero admin start``."""
    sys.exit(run(["admin", *sys.argv[1:]]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit status."""
    if list(arguments) == ["version"]:
        from omeroadmin.version import VERSION

        sys.stdout.write(f"{VERSION}\n")
        return 0
    from omeroadmin.cli.main import run as run_typer

    return run_typer(arguments)
