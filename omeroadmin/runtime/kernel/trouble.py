"""Says what is wrong once, not at each attempt, and says when it is over."""

from __future__ import annotations

from omeroadmin.runtime.kernel.context import ServiceContext


class Trouble:
    """What keeps a server from its job at the moment: in its health and, when it changes, in its log."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._message = ""

    @property
    def is_noted(self) -> bool:
        """Whether there is trouble now."""
        return bool(self._message)

    def note(self, message: str) -> None:
        """The server can't do its job.

        :param message: one line
        """
        self._context.health.not_ready(message)
        if message != self._message:
            self._context.log.warning("%s; waiting", message)
        self._message = message

    def clear(self) -> None:
        """The server does its job."""
        self._context.health.ready()
        if self._message:
            self._context.log.info("Working again")
        self._message = ""
