"""``omero config keys``."""

from __future__ import annotations

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.profiles.reader import read_profile


def command() -> None:
    """Print the names of the properties that are set.

    Example: omero config keys
    """
    print_lines(*sorted(read_profile(config_file()).values))
