"""``omero config list``."""

from __future__ import annotations

from omeroadmin.cli.config_options import ShowPassword
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines, say
from omeroadmin.cli.views.properties import property_lines
from omeroadmin.profiles.reader import read_profile


def command(show_password: ShowPassword = False) -> None:
    """Print properties that are set: `config get`'s old name.

    Example: omero config list
    """
    profile = read_profile(config_file())
    say("WARNING: `omero config list` goes away one day; `omero config get` does the same")
    print_lines(*property_lines(profile, [], show_secrets=show_password))
