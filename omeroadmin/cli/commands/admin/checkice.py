"""``omero admin checkice``."""

from __future__ import annotations

from omeroadmin.cli.context import require_instance


def command() -> None:
    """Check that the installed version of Ice can run the grid.

    The driver embedded needs none; with the driver icegrid, icegridnode and icegridadmin must be of one release that
    runs OMERO's servers. The exit status is 3 where they aren't.

    Example: omero admin checkice
    """
    from omeroadmin.cli.output import print_lines
    from omeroadmin.cli.views.grid import ice_lines
    from omeroadmin.workflows.driver import instance_driver

    if instance_driver(require_instance()).name == "icegrid":
        from omeroadmin.grid.icegrid.programs import check_versions

        print_lines(*ice_lines(check_versions()))
    else:
        print_lines("Ice is not needed: omero.grid.driver is embedded")
