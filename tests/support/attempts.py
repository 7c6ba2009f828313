"""What comes of input that may be anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from omeroadmin.errors import AdminError

Result = TypeVar("Result")


def attempt(action: Callable[[], Result]) -> Result | AdminError:
    """The result, or the error in words; any other exception is a bug and goes on."""
    try:
        return action()
    except AdminError as error:
        caught = error
    assert caught.message
    assert caught.message.isprintable(), "a message is one line"
    assert caught.hint.isprintable() or not caught.hint
    return caught
