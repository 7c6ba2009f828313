"""Unix sockets that can be connected to from the moment they are seen."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from omeroadmin.system.clock import wait_until
from omeroadmin.system.sockets import connect_unix, listen_unix


def test_whoever_sees_it_can_connect(tmp_path: Path) -> None:
    path = tmp_path / ("long" * 30) / "x.sock"
    path.parent.mkdir()
    refused: list[OSError] = []

    def knock() -> None:
        assert wait_until(path.exists, timeout=10, first_pause=0.0001, longest_pause=0.0001)
        try:
            connect_unix(path, timeout=5).close()
        except OSError as error:
            refused.append(error)

    for _ in range(30):
        knocking = threading.Thread(target=knock)
        knocking.start()
        with listen_unix(path):
            knocking.join()
        path.unlink()
    assert refused == []


def test_a_stale_one_is_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    listen_unix(path).close()
    with listen_unix(path):
        connect_unix(path, timeout=5).close()
        assert os.listdir(tmp_path) == ["x.sock"]  # noqa: PTH208 - names are enough
        assert path.stat().st_mode & 0o777 == 0o600


def test_where_none_can_be_made_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / "x.sock").mkdir()
    with pytest.raises(OSError, match="directory"):
        listen_unix(tmp_path / "x.sock")
    assert os.listdir(tmp_path) == ["x.sock"]  # noqa: PTH208 - names are enough


def test_what_a_killed_process_of_the_same_number_left_is_not_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "x.sock"
    listen_unix(path).close()
    path.rename(tmp_path / f".x.sock.{os.getpid()}")
    with listen_unix(path):
        connect_unix(path, timeout=5).close()
        assert os.listdir(tmp_path) == ["x.sock"]  # noqa: PTH208 - names are enough
