"""On demand, hung, and what servers write: with real processes."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from omeroadmin.errors import AdminError
from omeroadmin.system.clock import monotonic, wait_until
from omeroadmin.system.sockets import connect_unix
from tests.support.grid import Grid, is_alive, running_grid


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    modes = {"Echo": "on-demand:echo", "Bad": "on-demand:crash", "Session": "session:ok", "Fickle": "manual:flaky"}
    with running_grid(tmp_path_factory.mktemp("supervision"), modes) as grid:
        yield grid


def say(grid: Grid, text: bytes, server: str = "Echo") -> bytes:
    with connect_unix(grid.instance.run_directory / f"{server}.sock", timeout=20) as connection:
        connection.sendall(text)
        return connection.recv(1000)


def knock(grid: Grid, server: str = "Echo") -> bool:
    """Whether somebody listens: what a server that has ended leaves behind looks the same until one connects."""
    try:
        connect_unix(grid.instance.run_directory / f"{server}.sock", timeout=20).close()
    except OSError:
        return False
    return True


def test_the_first_who_knocks_starts_it(grid: Grid) -> None:
    assert grid.server("Echo").describe() == "inactive (enabled)"
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(say(grid, b"hello"))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert answers == [b"echo hello"] * 5
    pid = grid.wait_active("Echo").pid
    assert say(grid, b"again") == b"echo again"
    grid.driver.stop_server("Echo")
    server = grid.wait("Echo", lambda server: server.pid is None)
    assert (server.describe(), server.always) == ("inactive (enabled)", False)
    assert say(grid, b"once more") == b"echo once more"
    assert grid.wait_active("Echo").pid != pid


def test_one_that_is_disabled_answers_nobody(grid: Grid) -> None:
    grid.driver.disable_server("Echo")
    grid.driver.stop_server("Echo") if grid.server("Echo").pid else None
    grid.wait("Echo", lambda server: server.pid is None)
    with pytest.raises(OSError):  # noqa: PT011 - refused or not there, depending on when
        say(grid, b"hello")
    grid.driver.enable_server("Echo")
    assert wait_until(lambda: knock(grid), timeout=10)
    assert say(grid, b"hello") == b"echo hello"


def test_one_that_was_killed_is_started_by_the_next(grid: Grid) -> None:
    say(grid, b"hello")
    pid = grid.wait_active("Echo").pid
    os.kill(pid or 0, signal.SIGKILL)
    server = grid.wait("Echo", lambda server: server.pid is None)
    assert server.reason == "killed by SIGKILL"

    def answers() -> bool:
        try:
            return say(grid, b"hello") == b"echo hello"
        except OSError:
            # It pauses before it may be started again.
            return False

    assert wait_until(answers, timeout=20)


def test_one_that_cannot_start_turns_callers_away(grid: Grid) -> None:
    for _ in range(5):
        assert wait_until(lambda: not grid.server("Bad").enabled or _turned_away(grid), timeout=20)
    server = grid.wait("Bad", lambda server: not server.enabled)
    assert server.reason == "failed 5 times; ended with status 3: ValueError: it can't be"


def _turned_away(grid: Grid) -> bool:
    try:
        return say(grid, b"hello", "Bad") == b""
    except ConnectionResetError:
        return True
    except OSError:
        return False


def test_a_session_s_server_is_started_by_hand(grid: Grid) -> None:
    assert grid.server("Session").describe() == "inactive (enabled)"
    grid.driver.start_server("Session")
    assert grid.server("Session").is_active


def test_a_manual_server_that_ends_stays_ended(grid: Grid) -> None:
    grid.driver.start_server("Fickle")
    server = grid.wait("Fickle", lambda server: server.pid is None)
    assert (server.describe(), server.reason) == ("inactive (enabled)", "ended with status 1")
    assert "it is started when somebody asks for it" in grid.log


def test_a_manual_server_that_cannot_start_says_so_at_once(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"M": "manual:crash"}) as grid:
        began = monotonic()
        with pytest.raises(AdminError, match="ValueError: it can't be") as caught:
            grid.driver.start_server("M")
        assert caught.value.code == "server-not-started"
        assert monotonic() - began < 10


def test_a_hung_server_is_replaced(tmp_path: Path) -> None:
    grid = Grid(tmp_path, {})
    limits = {"Hung": {"omero.grid.hung_timeout": "1"}, "Held": {"omero.grid.hung_timeout": "0"}}
    grid.describe({"Hung": "ok", "Held": "ok", "Good": "ok"}, properties=limits)
    grid.launch()
    try:
        pids = {name: grid.wait_active(name).pid or 0 for name in ("Hung", "Held", "Good")}
        for name in ("Hung", "Held"):
            os.kill(pids[name], signal.SIGSTOP)
        after = grid.wait("Hung", lambda server: server.is_active and server.pid != pids["Hung"], timeout=60)
        assert after.reason == ""
        assert "Hung killed by SIGKILL, hung: no answer for" in grid.log
        assert not is_alive(pids["Hung"])
        assert grid.server("Held").pid == pids["Held"], "0 waits for ever"
        assert grid.server("Good").pid == pids["Good"]
        os.kill(pids["Held"], signal.SIGCONT)
    finally:
        grid.stop()


def test_logs_of_the_node_are_replaced_before_they_grow_too_long(tmp_path: Path) -> None:
    with running_grid(tmp_path, {"Chatty": "chatty", "Good": "ok"}) as grid:
        grid.wait_active("Chatty")
        logs = grid.instance.log_directory
        wanted = [f"{number:06d} {'x' * 92}" for number in range(120_000)]

        def lines() -> list[str]:
            names = ("master.out.2", "master.out.1", "master.out")
            text = "".join((logs / name).read_text() for name in names if (logs / name).exists())
            return [line for line in text.splitlines() if line.endswith("x")]

        assert wait_until(lambda: len(lines()) == len(wanted), timeout=30)
        assert lines() == wanted
        sizes = {path.name: path.stat().st_size for path in logs.glob("master.out*")}
        assert sorted(sizes) == ["master.out", "master.out.1", "master.out.2"]
        assert max(sizes.values()) <= 5_100_000
        assert all(path.stat().st_mode & 0o077 == 0 for path in logs.glob("master.out*"))
        assert grid.server("Good").is_active


def test_a_connection_through_the_door_may_be_half_closed(grid: Grid) -> None:
    grid.driver.stop_server("Echo") if grid.server("Echo").pid else None
    grid.wait("Echo", lambda server: server.pid is None)
    assert wait_until(lambda: knock(grid), timeout=10)
    with connect_unix(grid.instance.run_directory / "Echo.sock", timeout=20) as connection:
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000) == b"echo bye"
        assert connection.recv(1000) == b""
