"""Logins per second, beside the cost of scrypt alone, which is what makes a password slow to guess."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from omeroadmin.database import passwords
from tests.support.database import ROOT_PASSWORD
from tests.support.liveserver import Api, LiveServer, live, start_all

GOAL = 1.5
"""How many times as long as its scrypt a login may take."""
AT_ONCE = 2
"""As many passwords as the server looks at at a time."""
CLIENTS = 4
_LOGINS = 24
_REQUESTS = 400


def measure_logins(directory: Path, rounds: int) -> bool:
    """Measure logins, and what the session costs at each later request; print the table.

    :param rounds: of each; the medians count
    :return: whether the goal is met
    """
    if os.geteuid() == 0:
        print("logins aren't measured: servers refuse to run as root")
        return True
    with live(directory) as server:
        start_all(server)
        server.tls().login()
        stored = passwords.scrypt_hash(ROOT_PASSWORD)
        scrypt, logins = [], []
        # In turns, because the speed of a machine changes from second to second.
        for _ in range(rounds):
            scrypt.append(_per_second(lambda: _verify(stored), _LOGINS, AT_ONCE))
            logins.append(_per_second(_login(server), _LOGINS, CLIENTS))
        requests = [_per_second(_request(server), _REQUESTS, CLIENTS) for _ in range(rounds)]
    ours, beside = statistics.median(logins), statistics.median(scrypt)
    ratio = beside / ours
    print(f"{'sessions':<50} {'a second':>9} {'scrypt':>9} {'times':>9} {'at most':>9}")
    missed = "" if ratio <= GOAL else "  MISSED"
    print(f"{f'logins over TLS, {CLIENTS} clients':<50} {ours:9.1f} {beside:9.1f} {ratio:8.2f}x {GOAL:8.2f}x{missed}")
    print(f"{f'GET /sessions/current, {CLIENTS} clients':<50} {statistics.median(requests):9.1f}", flush=True)
    return ratio <= GOAL


def _verify(stored: str) -> None:
    if not passwords.verify(stored, 0, ROOT_PASSWORD):
        raise AssertionError


def _login(server: LiveServer) -> Callable[[], None]:
    clients = threading.local()

    def run() -> None:
        api = _client(server, clients)
        api.key = ""
        api.login()

    return run


def _request(server: LiveServer) -> Callable[[], None]:
    clients = threading.local()
    key = server.tls().login().key

    def run() -> None:
        api = _client(server, clients)
        api.key = key
        if api.call("GET", "/sessions/current").status != 200:
            raise AssertionError

    return run


def _client(server: LiveServer, clients: threading.local) -> Api:
    """A connection for each thread, kept."""
    if not hasattr(clients, "api"):
        clients.api = server.tls()
    api: Api = clients.api
    return api


def _per_second(run: Callable[[], None], times: int, threads: int) -> float:
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda _: run(), range(threads)):
            pass
        began = time.monotonic()
        for _ in pool.map(lambda _: run(), range(times)):
            pass
        return times / (time.monotonic() - began)
