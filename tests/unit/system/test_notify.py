"""What a service manager hears."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from omeroadmin.system.clock import monotonic
from omeroadmin.system.notify import Notifier
from tests.support.service_manager import service_manager


@pytest.mark.parametrize("abstract", [False, True])
def test_a_service_from_start_to_end(tmp_path: Path, *, abstract: bool) -> None:
    with service_manager(None if abstract else tmp_path) as manager:
        environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": str(os.getpid())}
        notifier = Notifier.from_environment(environment)
        assert environment == {}
        assert notifier.is_connected
        assert notifier.watchdog == 0.2
        notifier.status("starting\nPostgreSQL", extend=1.5)
        notifier.status("starting\nPostgreSQL", extend=1.5)
        notifier.ready("11 of 11 servers active")
        notifier.alive()
        notifier.alive()
        notifier.stopping("stopping the servers")
        manager.hear_rest()
        assert manager.heard == [
            {"STATUS": "starting PostgreSQL", "EXTEND_TIMEOUT_USEC": "1500000"},
            {"READY": "1", "MAINPID": str(os.getpid()), "STATUS": "11 of 11 servers active"},
            {"WATCHDOG": "1"},
            {"STOPPING": "1", "STATUS": "stopping the servers"},
        ]


def test_signs_of_life_are_twice_as_many_as_wanted() -> None:
    with service_manager(None) as manager:
        notifier = Notifier(manager.address, 0.1)
        began = monotonic()
        while monotonic() - began < 0.3:
            notifier.alive()
        manager.hear_rest()
        assert 4 <= len(manager.heard) <= 7


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"NOTIFY_SOCKET": "vsock:2:1234"},
        {"NOTIFY_SOCKET": "", "WATCHDOG_USEC": "many"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"},
    ],
)
def test_without_a_manager_nothing_happens(environment: dict[str, str]) -> None:
    notifier = Notifier.from_environment(environment)
    assert (notifier.is_connected, notifier.watchdog) == (False, None)
    notifier.status("starting")
    notifier.alive()
    notifier.ready("ready")
    notifier.stopping("stopping")


def test_a_manager_that_has_gone_is_no_failure(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "gone"))
    notifier.ready("ready")
    notifier.status("x" * 10_000)


def test_a_status_is_short() -> None:
    with service_manager(None) as manager:
        Notifier(manager.address).status("word " * 1000)
        assert len(manager.hear(1)["STATUS"]) == 500
