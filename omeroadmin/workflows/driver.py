"""The driver of an instance, as its active profile chooses it."""

from __future__ import annotations

from omeroadmin.grid.driver import GridDriver, driver_for
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance


def instance_driver(instance: Instance) -> GridDriver:
    """Whoever supervises the servers of an instance.

    :raises AdminError: ``config-unparsable``, ``setting-invalid``
    """
    return driver_for(instance, load_settings(instance))
