"""``omero version``."""

from __future__ import annotations

from omeroadmin.cli.output import print_lines
from omeroadmin.version import VERSION


def command() -> None:
    """Print the version of the toolkit.

    Example: omero version
    """
    print_lines(VERSION)
