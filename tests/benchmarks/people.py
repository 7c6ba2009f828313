"""Users on a server: a list of ten thousand, beside the same rows by psql alone."""

from __future__ import annotations

import functools
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.liveserver import LiveServer, command_line, live, start_all

USERS = 10_000
GOAL = 1.0
"""Seconds that a list of all users may take."""
_FILL = f"""
WITH made AS (
    INSERT INTO experimenter (id, permissions, version, omename, firstname, lastname, email)
    SELECT 1000 + n, -52, 0, 'user-' || n, 'Ada', 'Lovelace', 'ada' || n || '@example.org'
      FROM generate_series(1, {USERS}) n RETURNING id)
INSERT INTO groupexperimentermap (id, permissions, version, parent, child, child_index, owner)
SELECT ome_nextval('seq_groupexperimentermap'), -52, 0, g.id, made.id, g.id - 1, false
  FROM made, unnest(ARRAY[1, 1000 + made.id %% 20]) AS g (id)
"""
_GROUPS = """
INSERT INTO experimentergroup (id, permissions, version, name, ldap)
SELECT 1000 + n, -56, 0, 'lab-' || n, false FROM generate_series(0, 19) n
"""
_ROWS = """
SELECT e.*, array_agg(m.parent) FROM experimenter e LEFT JOIN groupexperimentermap m ON m.child = e.id
 GROUP BY e.id ORDER BY e.id
"""


def measure_people(directory: Path, rounds: int, *, peers: bool) -> bool:
    """Measure ``omero user list``, print the table.

    :param rounds: runs of each program
    :param peers: whether to measure psql
    :return: whether the goal is met
    """
    if os.geteuid() == 0:
        print("omero user list isn't measured: servers refuse to run as root")
        return True
    with live(directory) as server:
        start_all(server)
        server.sql(_GROUPS)
        server.sql(_FILL.replace("%%", "%"))
        server.sql("ANALYZE")
        ours = _ours(server, directory)
        print(f"{f'{USERS} users':<50} {'seconds':>9} {'goal':>9}")
        met = True
        for style in ("csv", "sql", "json"):
            seconds = _median(functools.partial(ours, style), rounds)
            met = met and seconds <= GOAL
            print(f"{f'omero user list --style {style}':<50} {seconds:9.2f} {GOAL:9.2f}{_missed(seconds)}", flush=True)
        if peers and (psql := shutil.which("psql")):
            print(f"{'psql, the same rows':<50} {_median(_psql(server, psql), rounds):9.2f}", flush=True)
    return met


def _ours(server: LiveServer, directory: Path) -> Callable[[str], None]:
    home = directory / "home"
    home.mkdir()
    omero = command_line(server, home)
    omero.ok("login", "root@localhost", "--password-file", "password")

    def run(style: str) -> None:
        arguments = [sys.executable, "-m", "omeroadmin", "user", "list", "--style", style]
        done = subprocess.run(arguments, env=omero.environment, cwd=home, capture_output=True, check=True, timeout=60)
        assert done.stdout.count(b"\n") > USERS

    return run


def _psql(server: LiveServer, program: str) -> Callable[[], None]:
    address = server.database.address
    environment = {**os.environ, "PGPASSWORD": address.password}
    arguments = [
        program, "-h", str(address.host), "-p", str(address.port), "-U", address.user, "-d", address.name,
        "--csv", "-c", _ROWS,
    ]  # fmt: skip

    def run() -> None:
        subprocess.run(arguments, env=environment, capture_output=True, check=True, timeout=60)

    return run


def _median(run: Callable[[], None], rounds: int) -> float:
    run()
    seconds = []
    for _ in range(rounds):
        began = time.monotonic()
        run()
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def _missed(seconds: float) -> str:
    return "" if seconds <= GOAL else "  MISSED"
