"""``unit``: a unit file of systemd, also a timer or a drop-in; written where systemd doesn't run, too."""

from __future__ import annotations

import os
import shutil
import tempfile

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.operations import file_operation
from omeroadmin.provisioning.agent.running import find_program, run
from omeroadmin.provisioning.agent.services import is_systemd, needs_reload, reload_units, service_facts, set_enabled

_DIRECTORY = "/etc/systemd/system"
_SOME_SERVICE = "[Service]\nType=oneshot\nExecStart=/bin/true\n"
"""What a drop-in is added to when it is checked."""


def facts(wish: Wish) -> Facts:
    """What the file holds, and whether systemd knows it as it is."""
    found = file_operation.facts(_as_file(wish))
    found["systemd"] = is_systemd()
    found["stale"] = found["exists"] and needs_reload(wish["name"])
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Write the file, and have systemd read it."""
    changes = file_operation.plan(_as_file(wish), facts)
    if facts["stale"] or (changes and facts["systemd"]):
        changes.append(Change("reload", "have systemd read its units anew"))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change; what systemd would refuse is never put in place."""
    if change.action == "reload":
        reload_units()
        return None
    file_wish = _as_file(wish)
    if change.action == "write":
        if wish["verify"]:
            _verify(wish)
        os.makedirs(os.path.dirname(file_wish["path"]), mode=0o755, exist_ok=True)
    if change.action == "remove" and not wish["drop_in"] and service_facts(wish["name"]).enabled:
        set_enabled(wish["name"], enabled=False)
    return file_operation.apply(file_wish, change)


def undo(record: Undo) -> str:
    """Take a change back."""
    words = file_operation.undo(record)
    reload_units()
    return words


def _as_file(wish: Wish) -> Wish:
    path = os.path.join(wish["directory"] or _DIRECTORY, wish["name"])
    if wish["drop_in"]:
        path = os.path.join(f"{path}.d", f"{wish['drop_in']}.conf")
    return {
        "path": path, "content": wish["content"], "state": wish["state"], "mode": "0644",
        "owner": "", "group": "", "secret": False, "only_new": False,
    }  # fmt: skip


def _verify(wish: Wish) -> None:
    """Let systemd read the file in a directory of its own.

    What it says of programs and units that aren't there yet is no fault of the file.

    :raises HostError: ``host-unit-invalid``
    """
    program, name, content = find_program("systemd-analyze"), wish["name"].replace("@.", "@verify."), wish["content"]
    if program is None:
        return
    if wish["drop_in"]:
        if not name.endswith(".service"):
            return
        content = _SOME_SERVICE + content
    directory = tempfile.mkdtemp(suffix=".omeroadmin")
    try:
        path = os.path.join(directory, name)
        with open(path, "w", encoding="utf-8") as stream:
            stream.write(content)
        done = run([program, "verify", "--man=no", path])
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    for line in (done.error_output + done.output).splitlines():
        where, _, words = line.partition(": ")
        if where.startswith(path) or (where == name and "Refusing" in words):
            raise HostError("host-unit-invalid", f"{wish['name']}: {words}", "mend the unit; the present one stays")
