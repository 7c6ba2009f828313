"""The service manager of a host: systemd where it runs, else the scripts of init."""

from __future__ import annotations

import glob
import os
import time
from typing import Any, NamedTuple

from omeroadmin.provisioning.agent.change import HostError
from omeroadmin.provisioning.agent.running import Done, find_program, run

_SCRIPTS = "/etc/init.d"
_SUFFIXES = (".service", ".timer", ".socket", ".target", ".path", ".mount")
_ENABLED = {"enabled", "enabled-runtime", "alias"}
# Nothing is enabled there by itself: others start it, or it was made for this boot only.
_AS_IT_IS = {"static", "indirect", "generated", "transient"}
_SETTLE = 10.0
"""Seconds in which a script's service shows that it has come up or ended."""


class ServiceFacts(NamedTuple):
    """A service.

    :param manager: ``systemd`` or ``init``
    :param known: whether the manager has it
    :param active: whether it runs
    :param enabled: whether it starts with the machine; ``None`` where that isn't for it to say
    :param masked: whether it may not be started
    """

    manager: str
    known: bool
    active: bool
    enabled: "bool | None"
    masked: bool = False


def is_systemd() -> bool:
    """Whether systemd runs this host."""
    return os.path.isdir("/run/systemd/system")


def unit_name(name: str) -> str:
    """The full name of a unit."""
    return name if name.endswith(_SUFFIXES) else f"{name}.service"


def service_facts(name: str) -> ServiceFacts:
    """What the manager knows of a service."""
    if is_systemd():
        properties = ("LoadState", "ActiveState", "UnitFileState")
        done = run(["systemctl", "show", "--property", ",".join(properties), "--", unit_name(name)])
        found: "dict[str, str]" = dict.fromkeys(properties, "")
        found.update(line.split("=", 1) for line in done.output.splitlines() if "=" in line)  # type: ignore[misc]
        return ServiceFacts(
            "systemd",
            known=found["LoadState"] not in {"not-found", ""},
            active=found["ActiveState"] in {"active", "activating", "reloading"},
            enabled=None if found["UnitFileState"] in _AS_IT_IS else found["UnitFileState"] in _ENABLED,
            masked=found["LoadState"] == "masked",
        )
    script = _script(name)
    if not os.access(script, os.X_OK):
        return ServiceFacts("init", known=False, active=False, enabled=False)
    return ServiceFacts("init", known=True, active=_script_runs(script), enabled=_is_linked(name))


def act(name: str, action: str, timeout: float) -> None:
    """Start, stop, restart or reload a service, and see that it has worked.

    :param action: ``start``, ``stop``, ``restart``, ``reload``
    :param timeout: seconds
    :raises HostError: ``host-service-failed``, ``host-program-timeout``
    """
    if is_systemd():
        verb = "reload-or-restart" if action == "reload" else action
        done = run(["systemctl", verb, "--", unit_name(name)], timeout=timeout)
    else:
        done = run([_script(name), action], timeout=timeout)
        if done.status != 0 and action == "reload":
            # Not every script has it.
            done = run([_script(name), "restart"], timeout=timeout)
    wished = action != "stop"
    if done.status == 0 and _settles(name, wished):
        return
    ended = (
        f"ended with {done.status}: {done.last_words()}"
        if done.status
        else "left it " + ("stopped" if wished else "running")
    )
    raise HostError("host-service-failed", f"{action} of {name} {ended}", _hint(name))


def set_enabled(name: str, enabled: bool) -> None:
    """Have a service start with the machine, or not.

    :raises HostError: ``host-service-failed``
    """
    if is_systemd():
        commands = [["systemctl", "enable" if enabled else "disable", "--", unit_name(name)]]
    elif find_program("update-rc.d"):
        verb = "enable" if enabled else "disable"
        commands = [["update-rc.d", name, "defaults"], ["update-rc.d", name, verb]]
    else:
        commands = [["chkconfig", "--add", name], ["chkconfig", name, "on" if enabled else "off"]]
    for command in commands:
        done = run(command)
        if done.status != 0:
            raise HostError(
                "host-service-failed", f"{command[0]} of {name} ended with {done.status}: {done.last_words()}"
            )


def reload_units() -> None:
    """Have systemd read its units anew, where it runs.

    :raises HostError: ``host-service-failed``
    """
    if is_systemd():
        done = run(["systemctl", "daemon-reload"])
        if done.status != 0:
            raise HostError("host-service-failed", f"systemctl daemon-reload: {done.last_words()}")


def needs_reload(name: str) -> bool:
    """Whether a unit's file is newer than what systemd knows."""
    if not is_systemd():
        return False
    return run(["systemctl", "show", "--property", "NeedDaemonReload", "--", name]).output.strip().endswith("=yes")


def _settles(name: str, active: bool) -> bool:
    deadline = time.monotonic() + _SETTLE
    while service_facts(name).active != active:
        if time.monotonic() >= deadline or is_systemd():
            return False
        time.sleep(0.1)
    return True


def _script(name: str) -> str:
    return os.path.join(_SCRIPTS, os.path.basename(name))


def _script_runs(script: str) -> bool:
    # 0: it runs; 1: it runs, or died and left something; 3: it doesn't run (LSB).
    done: Done = run([script, "status"])
    return done.status == 0


def _is_linked(name: str) -> bool:
    return any(glob.glob(f"/etc/{place}[2-5].d/S[0-9][0-9]{glob.escape(name)}") for place in ("rc", "rc.d/rc"))


def _hint(name: str) -> str:
    if is_systemd():
        return f"see why: journalctl --unit {unit_name(name)} --lines 50"
    return f"see why: {_script(name)} status"


def as_facts(found: ServiceFacts) -> "dict[str, Any]":
    """For the protocol."""
    return found._asdict()
