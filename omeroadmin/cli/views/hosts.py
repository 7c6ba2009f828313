"""The inventory for people and programs: hosts, groups, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from omeroadmin.cli.output import Style, cell, print_json, print_lines, print_table
from omeroadmin.errors import printable
from omeroadmin.provisioning.inventory_check import InventoryReport, Severity
from omeroadmin.provisioning.inventory_secrets import shown
from omeroadmin.schema.tree import Fraction

if TYPE_CHECKING:
    from omeroadmin.provisioning.inventory import Inventory, InventoryHost

_COLUMNS = ("host", "address", "port", "user", "groups", "jump", "become")
_PLURALS = {Severity.ERROR: "errors", Severity.WARNING: "warnings"}


def print_hosts(hosts: Sequence[InventoryHost], style: Style) -> None:
    """A line each; what is empty is as the SSH configuration says."""
    rows = [
        (
            host.name,
            host.connection.address,
            host.connection.port,
            host.connection.user,
            ",".join(host.groups),
            host.connection.jump,
            host.connection.become.value,
        )
        for host in hosts
    ]
    print_table("hosts", _COLUMNS, rows, style)


def print_variables(hosts: Sequence[InventoryHost]) -> None:
    """The variables of each host, and where they come from."""
    for host in hosts:
        print_lines(f"{host.name}:")
        for name, node in sorted(host.variables.items()):
            print_lines(f"  {name} = {cell(_written(shown(node, name)))}  ({cell(node.origin)})")


def _written(value: Any) -> str:
    """A value as JSON, but with the digits that the file has."""
    match value:
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case dict():
            return f"{{{', '.join(f'{_written(name)}: {_written(item)}' for name, item in value.items())}}}"
        case Fraction():
            return str(value)
    return json.dumps(value, ensure_ascii=False)


def print_hosts_json(inventory: Inventory, hosts: Sequence[InventoryHost]) -> None:
    """All that is known of hosts but their secrets."""
    print_json("hosts", {"inventory": inventory.path, "hosts": [_host_data(inventory, host) for host in hosts]})


def _host_data(inventory: Inventory, host: InventoryHost) -> dict[str, Any]:
    connection, way = host.connection, inventory.way_to(host)
    return {
        "host": host.name,
        "address": connection.address,
        "port": connection.port,
        "user": connection.user,
        "keys": connection.keys,
        "jump": connection.jump,
        "way": None if way is None else [step.name for step in way],
        "become": connection.become,
        "python": connection.python,
        "timeout": connection.timeout,
        "groups": host.groups,
        "variables": {name: shown(node, name) for name, node in host.variables.items()},
        "origin": host.origin,
    }


def print_graph(inventory: Inventory, *, as_json: bool) -> None:
    """Groups, and below each what it is made of; a group that was shown before is named only."""
    if as_json:
        alone = [host.name for host in inventory.hosts if not host.groups]
        print_json("hosts/graph", {"inventory": inventory.path, "groups": inventory.groups, "ungrouped": alone})
        return
    print_lines("all:", *_graph_lines(inventory))


def _graph_lines(inventory: Inventory) -> Iterator[str]:
    by_name = {group.name: group for group in inventory.groups}
    inner = {child for group in inventory.groups for child in group.groups}
    waiting = [(1, group.name) for group in reversed(inventory.groups) if group.name not in inner]
    done: set[str] = set()
    while waiting:
        level, name = waiting.pop()
        group, indent = by_name[name], "  " * level
        if name in done:
            yield f"{indent}{name}: (see above)"
            continue
        done.add(name)
        yield f"{indent}{name}:" + ("" if group.members else " (no hosts)")
        yield from (f"{indent}  {host}" for host in group.hosts)
        waiting += [(level + 1, child) for child in reversed(group.groups)]
    yield from (f"  {host.name}" for host in inventory.hosts if not host.groups)


def print_report(report: InventoryReport, *, as_json: bool, quiet: bool) -> None:
    """What is wrong, what to do, and how much of it there is.

    :param quiet: whether only what is wrong is said
    """
    counts = {severity.value: report.count(severity) for severity in Severity}
    if as_json:
        print_json(
            "hosts/check",
            {
                "inventory": report.path,
                "host_count": report.host_count,
                "group_count": report.group_count,
                "counts": counts,
                "findings": report.findings,
            },
        )
        return
    for finding in report.findings:
        print_lines(f"{finding.severity.upper()} {finding.code}: {printable(finding.message)}")
        if finding.hint:
            print_lines(f"  -> {printable(finding.hint)}")
    if not quiet:
        print_lines(f"{_summary(report)}: {printable(str(report.path))}{_size(report)}")


def _summary(report: InventoryReport) -> str:
    counts = [(severity, report.count(severity)) for severity in Severity]
    words = [f"{number} {severity if number == 1 else _PLURALS[severity]}" for severity, number in counts if number]
    return ", ".join(words) or "No findings"


def _size(report: InventoryReport) -> str:
    if report.host_count is None or report.group_count is None:
        return ""
    counts = ((report.host_count, "host"), (report.group_count, "group"))
    hosts, groups = (f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    return f", {hosts} in {groups}"
