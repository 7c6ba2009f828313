"""``firewall-port``: a port that the host's firewall lets through; where none is on, there is nothing to do."""

from __future__ import annotations

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.firewalls import Port, active_firewall, normal_source


def facts(wish: Wish) -> Facts:
    """Which firewall is on, and whether it lets the port through."""
    firewall = active_firewall()
    if firewall is None:
        return {"firewall": "none", "open": True}
    return {"firewall": firewall.name, "open": firewall.is_open(_port(wish))}


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Open or close the port, now and for later."""
    wished = wish["state"] == "open"
    if facts["firewall"] == "none" or facts["open"] == wished:
        return []
    whom = f" to {wish['source']}" if wish["source"] else ""
    where = f"port {wish['port']}/{wish['protocol']}{whom} in {facts['firewall']}"
    return [Change("open", f"open {where}")] if wished else [Change("close", f"close {where}")]


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    _set_open(_port(wish), change.action == "open")
    return {"port": list(_port(wish)), "open": change.action != "open"}


def undo(record: Undo) -> str:
    """Take a change back."""
    port = Port(*record["port"])
    _set_open(port, record["open"])
    return f"{'opened' if record['open'] else 'closed'} port {port.number}/{port.protocol} again"


def _port(wish: Wish) -> Port:
    return Port(int(wish["port"]), wish["protocol"], normal_source(wish["source"]), wish["zone"])


def _set_open(port: Port, is_open: bool) -> None:
    firewall = active_firewall()
    if firewall is None:
        return
    firewall.set_open(port, is_open)
    if firewall.is_open(port) != is_open:
        raise HostError(
            "host-firewall-unchanged",
            f"{firewall.name} still {'keeps' if is_open else 'lets'} port {port.number}/{port.protocol} "
            f"{'out' if is_open else 'through'}",
            "another rule of it may be stronger: look at its rules",
        )
