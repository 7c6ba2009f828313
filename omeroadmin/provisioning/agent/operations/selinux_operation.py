"""``selinux``: a boolean, or the type of a port, for good; nothing where SELinux is off."""

from __future__ import annotations

from omeroadmin.provisioning.agent import security
from omeroadmin.provisioning.agent.change import Change, Facts, Undo, Wish


def facts(wish: Wish) -> Facts:
    """What SELinux has now, and what it will have after the next start."""
    if not security.is_on():
        return {"on": False}
    if wish["boolean"]:
        name = wish["boolean"]
        return {"on": True, "now": security.boolean_value(name), "later": security.boolean_after_start(name)}
    return {"on": True, "types": security.port_types(int(wish["port"]), wish["protocol"])}


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Set the boolean, or give the port its type."""
    if not facts["on"]:
        return []
    if wish["boolean"]:
        name, value = wish["boolean"], "on" if wish["value"] else "off"
        if facts["now"] == facts["later"] == wish["value"]:
            return []
        return [Change("boolean", f"set SELinux's {name} {value}, for good")]
    if wish["type"] in facts["types"]:
        return []
    before = "".join(f"{kind}\n" for kind in facts["types"])
    return [
        Change(
            "port", f"give port {wish['port']}/{wish['protocol']} the type {wish['type']}", before, wish["type"] + "\n"
        )
    ]


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    if change.action == "boolean":
        before = security.boolean_after_start(wish["boolean"])
        security.set_boolean(wish["boolean"], wish["value"])
        return {"boolean": wish["boolean"], "value": not wish["value"] if before is None else before}
    security.add_port(int(wish["port"]), wish["protocol"], wish["type"])
    return {"port": int(wish["port"]), "protocol": wish["protocol"]}


def undo(record: Undo) -> str:
    """Take a change back."""
    if "boolean" in record:
        security.set_boolean(record["boolean"], record["value"])
        return f"set SELinux's {record['boolean']} {'on' if record['value'] else 'off'} again"
    security.drop_port(record["port"], record["protocol"])
    return f"took the type of port {record['port']}/{record['protocol']} back"
