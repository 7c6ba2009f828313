"""``omero config version``."""

from __future__ import annotations

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.profiles.reader import read_profile


def command() -> None:
    """Print the version of the active profile's format.

    Example: omero config version
    """
    print_lines(read_profile(config_file()).version)
