"""Whether a restored server could start beside what runs on this machine now, the original for one."""

from __future__ import annotations

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.preconditions import check_ports

_PREFIX = "omero.ports.prefix"
_PREFIXES = ("", "1", "2", "3", "4", "5")
"""More than 5 makes no ports of the usual numbers."""


def ports_clash(settings: Settings) -> AdminError | None:
    """What is wrong with the ports of a restored server; ``None`` if all are free.

    It is only told: by the time of the start they may be free, or others may be taken.

    :param settings: of the restored server
    """
    try:
        check_ports(settings)
    except AdminError as error:
        if error.code != "port-taken":
            return error
        free = _free_prefix(settings)
        other = "choose other ports with --ports-prefix" if free is None else f"add --ports-prefix {free or repr('')}"
        return configuration_error(
            "restore-ports-taken", f"{error.message}: the restored server could not start now", other
        )
    return None


def _free_prefix(settings: Settings) -> str | None:
    """The first prefix with which all ports are free."""
    for prefix in _PREFIXES:
        try:
            check_ports(Settings({**settings.explicit(), _PREFIX: prefix}))
        except AdminError:
            continue
        return prefix
    return None
