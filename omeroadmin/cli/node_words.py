"""The words of ``omero node``: a name and an action, in either order, as OMERO's manual has both."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum

from omeroadmin.errors import configuration_error, usage_error
from omeroadmin.grid.model import MASTER

_IGNORED = "sync"
"""Accepted by OMERO as well, and without effect there."""


class Action(StrEnum):
    """What can be done with a node."""

    START = "start"
    STOP = "stop"
    STATUS = "status"
    RESTART = "restart"


def read_words(words: Sequence[str], *, foreground: bool = False) -> tuple[str, Action]:
    """The node and what to do with it.

    :param words: ``[NAME] [sync] ACTION`` or ``ACTION [NAME]``
    :param foreground: whether it is to run in this process, which only a start can
    :raises AdminError: ``node-action``, ``master-renamed``
    """
    _refuse_other_master()
    known = [str(action) for action in Action]
    rest = [word for word in words if word != _IGNORED] if len(words) > 1 else list(words)
    place = next((index for index in (len(rest) - 1, 0) if rest and rest[index] in known), None)
    if place is None or len(rest) > 2:
        raise usage_error(
            "node-action",
            f"{' '.join(words)!r} doesn't say what to do with which node",
            f"omero node [NAME] {'|'.join(known)}",
        )
    action = Action(rest.pop(place))
    if foreground and action not in (Action.START, Action.RESTART):
        raise usage_error("node-action", f"--foreground is for start, not for {action}")
    return (rest[0] if rest else os.environ.get("OMERO_NODE", "") or os.uname().nodename), action


def _refuse_other_master() -> None:
    name = os.environ.get("OMERO_MASTER", "")
    if name not in ("", MASTER):
        raise configuration_error(
            "master-renamed",
            f"OMERO_MASTER is {name!r}, but the node of the master is called {MASTER} here",
            "unset OMERO_MASTER",
        )
