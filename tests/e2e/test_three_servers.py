"""Three whole servers on one machine, told apart by the prefixes of their ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from omeroadmin.system.sockets import port_is_free
from tests.support.omero import Omero, install, pids

WHOLE = 10
"""Servers of the default grid that always run, TestDropBox being the eleventh."""


def test_three_servers_on_one_machine(server: Omero, tmp_path: Path) -> None:
    """As the manual has it: one without a prefix, the others with one each."""
    prefixes = ["", {"1": "2", "2": "1"}[server.prefix]]
    ports = [int(f"{prefix}{port}") for prefix in prefixes for port in (4061, 4063, 4064)]
    taken = [str(port) for port in ports if not port_is_free(port)]
    if taken:
        pytest.skip(f"the ports {', '.join(taken)} are taken")
    others = [install(tmp_path / f"server{prefix}", prefix) for prefix in prefixes]
    before = pids(server)
    try:
        for other in others:
            other.ok("admin", "start")
        found = [pids(one) for one in (server, *others)]
        assert [len(one) for one in found] == [WHOLE + 1] * 3
        everybody = [pid for one in found for pid in one.values() if pid is not None]
        assert len(everybody) == len(set(everybody)) >= 3 * WHOLE
        for one in (server, *others):
            one.ok("admin", "status")
        others[0].ok("admin", "stop")
        assert others[0].run("admin", "status").returncode == 1
        others[1].ok("admin", "status")
    finally:
        for other in others:
            other.run("admin", "stop")
    server.ok("admin", "status")
    assert pids(server) == before
