"""SIGTERM and SIGHUP interrupt like Ctrl-C, unless they are ignored."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from omeroadmin.system.interrupts import endings_interrupt


def be_ended(number: signal.Signals) -> None:
    with endings_interrupt():
        os.kill(os.getpid(), number)
        pytest.fail("the signal did nothing")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_ending_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        be_ended(number)
    assert signal.getsignal(number) is before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with endings_interrupt():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_another_thread_nothing_happens() -> None:
    entered = []

    def enter() -> None:
        with endings_interrupt():
            entered.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join(10)
    assert entered == [signal.getsignal(signal.SIGTERM)]
