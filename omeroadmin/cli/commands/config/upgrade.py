"""``omero config upgrade``."""

from __future__ import annotations

from omeroadmin.cli.config_options import WAIT_DEFAULT, Wait
from omeroadmin.cli.context import config_file
from omeroadmin.cli.output import print_lines
from omeroadmin.profiles.store import upgrade_profiles


def command(wait: Wait = WAIT_DEFAULT) -> None:
    """Bring profiles of an old format to today's.

    Every other change does that as well; this does nothing else. Preferences from before OMERO 4.2, which Java kept,
    are not imported: export them with that server's own tools and use `omero config load`.

    Example: omero config upgrade
    """
    names = upgrade_profiles(config_file(), cause="config upgrade", wait=wait)
    print_lines(*(f"Upgraded profile {name}" for name in names), *([] if names else ["Nothing to upgrade"]))
