"""Fixtures that tests of all kinds take by name, and what happens to tests that this user can't run."""

from __future__ import annotations

import os
import signal

import hypothesis
import pytest

from tests.support.database import embedded_instance, shared_instance

__all__ = ["embedded_instance", "shared_instance"]

# How long an example takes is the machine's business, which may be doing something else.
hypothesis.settings.register_profile("omeroadmin", deadline=None)
hypothesis.settings.load_profile("omeroadmin")


def pytest_configure() -> None:
    """A shell that starts the suite in the background has it ignore interrupts, and everything it starts as well."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs root, with the reason, where this isn't root."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root") is not None:
            item.add_marker(pytest.mark.skip(reason="needs root: run make test as root"))
