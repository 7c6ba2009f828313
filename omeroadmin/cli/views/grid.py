"""Shows what a deployment did, how a node is, and which Ice is installed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from omeroadmin.grid.driver import DeployReport
    from omeroadmin.grid.icegrid.programs import IceProgram
    from omeroadmin.workflows.nodes import NodeStatus


def report_lines(report: DeployReport, *, done: bool) -> list[str]:
    """What became of the servers, a line each.

    :param done: whether it was done; else it would be
    """
    would = "" if done else "would be "
    rows = (("started", report.started), ("restarted", report.restarted), ("stopped", report.stopped))
    lines = [f"{server} {would}{what}" for what, servers in rows for server in servers]
    lines += [f"{server} does not run, and {'has changed' if done else 'would change'}" for server in report.updated]
    return lines or ["No server is affected"]


def report_data(report: DeployReport) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "started": report.started,
        "restarted": report.restarted,
        "stopped": report.stopped,
        "updated": report.updated,
    }


def node_lines(status: NodeStatus) -> list[str]:
    """A node and its servers."""
    if not status.up:
        return [f"node {status.name} is down"]
    process = "" if status.pid is None else f" (pid = {status.pid})"
    servers = [
        f"{server.id} {server.describe()}" + (f": {server.reason}" if server.reason else "")
        for server in status.servers
    ]
    return [f"node {status.name} is up{process}", *servers]


def ice_lines(programs: Sequence[IceProgram]) -> list[str]:
    """Version and place of each program."""
    return [f"{program.name} {program.version} ({program.path})" for program in programs]
