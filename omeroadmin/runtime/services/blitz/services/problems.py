"""Failures that Blitz's clients are told of, by code; the transport gives each code its status."""

from __future__ import annotations

from omeroadmin.errors import AdminError, failed_error, unreachable_error, usage_error


def not_found(what: str, object_id: int) -> AdminError:
    """It doesn't exist, or this user may not know of it: the answer is the same."""
    return failed_error("not-found", f"there is no {what} {object_id}")


def invalid(message: str) -> AdminError:
    """The request can't be meant."""
    return usage_error("request-invalid", message)


def denied(message: str) -> AdminError:
    """This user may not do that."""
    return failed_error("permission-denied", message)


def conflict(code: str, message: str) -> AdminError:
    """It doesn't fit the state of things."""
    return failed_error(code, message)


def session_dead() -> AdminError:
    """The key is unknown, closed or expired: the answer is the same."""
    return failed_error("session-expired", "the session key is not valid (any more); log in again")


def unavailable(code: str, message: str) -> AdminError:
    """Another server is needed and doesn't answer."""
    return unreachable_error(code, message)
