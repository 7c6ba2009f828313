"""What is left to a restricted administrator."""

from __future__ import annotations

from collections.abc import Iterable

from omeroadmin.schema.privileges import Privilege

__all__ = ["ALL", "CONFIG_PREFIX", "Privilege", "privileges_of"]

ALL: frozenset[Privilege] = frozenset(Privilege)
CONFIG_PREFIX = "AdminPrivilege:"
"""Rows of ``experimenter_config`` whose names begin so restrict an administrator unless their value is ``true``."""


def privileges_of(restrictions: Iterable[str]) -> frozenset[Privilege]:
    """What is left to an administrator.

    :param restrictions: names of ``experimenter_config``, with their prefix, whose value isn't ``true``
    """
    taken = {name.removeprefix(CONFIG_PREFIX) for name in restrictions}
    return frozenset(privilege for privilege in Privilege if privilege.value not in taken)
