"""``omero config lock``."""

from __future__ import annotations

import sys

from omeroadmin.cli.config_options import WAIT_DEFAULT, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import say
from omeroadmin.profiles.writer import lock_out_writers


def command(wait: Wait = WAIT_DEFAULT) -> None:
    """Keep everybody else from changing properties.

    Until Enter is pressed, stdin ends, or a signal ends the command; reading goes on all the time.

    Example: omero config lock
    """
    config_xml = config_file()
    with lock_out_writers(config_xml, wait=wait):
        say(f"{config_xml} is locked; Enter unlocks it.")
        sys.stdin.readline()
