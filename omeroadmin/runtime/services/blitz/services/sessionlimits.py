"""How long sessions live: what the server gives, and what users may ask for (``omero.sessions.*``)."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.runtime.services.blitz.services.problems import invalid
from omeroadmin.schema.settings import Settings

_LONGEST_MS = 100 * 366 * 24 * 3600 * 1000
"""So long that it is forever, and short enough to be added to a time."""


@dataclass(frozen=True)
class Limits:
    """All in milliseconds; 0 is no limit.

    :param default_idle: without a request
    :param longest: life of any session
    :param user_idle: that users may ask for; administrators are free
    :param user_live: likewise, of life
    """

    default_idle: int
    longest: int
    user_idle: int
    user_live: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits of a server.

        :raises AdminError: ``setting-invalid``
        """
        return cls(
            settings.number("omero.sessions.timeout"),
            settings.number("omero.sessions.maximum"),
            settings.number("omero.sessions.max_user_time_to_idle"),
            settings.number("omero.sessions.max_user_time_to_live"),
        )

    def idle(self, wanted: int | None, *, is_admin: bool) -> int:
        """Time without a request after which a session ends.

        :param wanted: ``None``: the default
        :raises AdminError: ``request-invalid``
        """
        if wanted is None:
            return self.default_idle
        most = 0 if is_admin else max(self.user_idle, self.default_idle) if self.user_idle and self.default_idle else 0
        return _checked("idle", wanted, most)

    def live(self, wanted: int | None, *, is_admin: bool) -> int:
        """Time after which a session ends, however busy it is.

        :param wanted: ``None``: the longest possible
        :raises AdminError: ``request-invalid``
        """
        if wanted is None:
            return self.longest
        return _checked("live", wanted, _least(self.longest, 0 if is_admin else self.user_live))


def _checked(what: str, wanted: int, most: int) -> int:
    if most and (wanted > most or wanted == 0):
        raise invalid(f"a session may {what} for at most {most / 1000:.15g} seconds here, not {_words(wanted)}")
    return min(wanted, _LONGEST_MS)


def _words(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.15g}" if milliseconds else "forever"


def _least(*limits: int) -> int:
    """The strictest of some limits."""
    return min((limit for limit in limits if limit), default=0)
