"""``omero config all``."""

from __future__ import annotations

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.profiles.reader import read_content


def command() -> None:
    """Print the names of all profiles.

    Example: omero config all
    """
    print_lines(*read_content(config_file()).names())
