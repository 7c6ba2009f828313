"""Says what is wrong once, not at each attempt, and says when it is over."""

from __future__ import annotations

import logging

from omeroadmin.runtime.kernel.context import ServiceContext
from omeroadmin.system.clock import monotonic

_STARTING = 10.0
"""Seconds in which a server that was just started waits for others that start as well: nothing to warn of."""


class Trouble:
    """What keeps a server from its job at the moment: in its health and, when it changes, in its log."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._message = ""
        self._level = logging.NOTSET
        self._starting_until = monotonic() + _STARTING

    @property
    def is_noted(self) -> bool:
        """Whether there is trouble now."""
        return bool(self._message)

    def note(self, message: str) -> None:
        """The server can't do its job.

        :param message: one line
        """
        self._context.health.not_ready(message)
        level = logging.INFO if monotonic() < self._starting_until else logging.WARNING
        if (message, level) != (self._message, self._level):
            self._context.log.log(level, "%s; waiting", message)
        self._message, self._level = message, level

    def clear(self) -> None:
        """The server does its job."""
        self._context.health.ready()
        self._starting_until = 0
        if self._message:
            self._context.log.info("Working again")
        self._message = ""
