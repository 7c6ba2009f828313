"""``omero config path``."""

from __future__ import annotations

from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines


def command() -> None:
    """Print the name of the file that holds the properties.

    Example: omero config path
    """
    print_lines(str(config_file()))
