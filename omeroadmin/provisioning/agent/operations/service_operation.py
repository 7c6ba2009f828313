"""``service``: a service that runs, or not, now and with the machine."""

from __future__ import annotations

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.services import act, as_facts, service_facts, set_enabled

_ONCE = {"restarted": "restart", "reloaded": "reload"}


def facts(wish: Wish) -> Facts:
    """Whether the service is known, runs, and starts with the machine."""
    return as_facts(service_facts(wish["name"]))


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Enable before starting, stop before disabling; a restart is one each time it is asked for."""
    name, later = wish["name"], "" if facts["known"] else ", once it is installed"
    if not facts["known"] and wish["enabled"] is not True and wish["state"] in {"", "stopped"}:
        return []
    starts = wish["state"] in {"started", *_ONCE}
    if facts["masked"] and (starts or wish["enabled"]):
        raise HostError("host-service-masked", f"{name} is masked", f"let it run again: systemctl unmask {name}")
    changes = []
    if wish["state"] == "stopped" and facts["active"]:
        changes.append(Change("stop", f"stop {name}", "running\n", "stopped\n"))
    if wish["enabled"] is not None and facts["enabled"] is not None and wish["enabled"] != facts["enabled"]:
        words = f"have {name} start with the machine" if wish["enabled"] else f"don't start {name} with the machine"
        changes.append(Change("enable" if wish["enabled"] else "disable", words + later))
    if wish["state"] in _ONCE:
        changes.append(Change(_ONCE[wish["state"]], f"{_ONCE[wish['state']]} {name}{later}"))
    elif starts and not facts["active"]:
        changes.append(Change("start", f"start {name}{later}", "stopped\n", "running\n"))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    name = wish["name"]
    before = service_facts(name)
    if not before.known:
        where = (
            f"systemd has no unit {name}" if before.manager == "systemd" else f"there is no script /etc/init.d/{name}"
        )
        raise HostError("host-service-unknown", where, "install what brings the service before")
    if change.action in {"enable", "disable"}:
        set_enabled(name, change.action == "enable")
        return {"name": name, "enabled": before.enabled}
    # What doesn't run can't be reloaded.
    action = change.action if before.active or change.action == "stop" else "start"
    act(name, action, float(wish["timeout"]))
    if action in {"start", "stop"}:
        return {"name": name, "active": before.active, "timeout": wish["timeout"]}
    return {"name": name, "again": change.action, "timeout": wish["timeout"], "late": True}


def undo(record: Undo) -> str:
    """Take a change back, where the service is still there."""
    name = record["name"]
    present = service_facts(name)
    if not present.known:
        return f"{name} is gone already"
    if "again" in record:
        if present.active:
            act(name, record["again"], float(record["timeout"]))
        return f"{record['again']}ed {name}"
    if "active" in record:
        if present.active != record["active"]:
            act(name, "start" if record["active"] else "stop", float(record["timeout"]))
        return f"{name} {'runs' if record['active'] else 'is stopped'} as before"
    if present.enabled is not None and present.enabled != record["enabled"]:
        set_enabled(name, bool(record["enabled"]))
    return f"{name} {'starts' if record['enabled'] else 'does not start'} with the machine, as before"
