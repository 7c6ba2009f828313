"""``sysctl``: parameters of the kernel, now and at its start."""

from __future__ import annotations

import os

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.operations import file_operation
from omeroadmin.provisioning.agent.owned_files import make_parent, owned_file

_LIVE = "/proc/sys"


def facts(wish: Wish) -> Facts:
    """Whether the file is as wished, and the values in force; ``None`` for those that this kernel doesn't have."""
    found = file_operation.facts(_file(wish))
    if wish["live"] and wish["state"] == "present":
        found["live"] = {name: _value(name) for name in wish["values"]}
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Write the file, and what isn't in force yet."""
    changes = file_operation.plan(_file(wish), facts)
    for name, present in facts.get("live", {}).items():
        wished = _plain(str(wish["values"][name]))
        if present is not None and present != wished:
            changes.append(Change(f"live {name}", f"set {name} now", present + "\n", wished + "\n"))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    action, _, name = change.action.partition(" ")
    if action == "live":
        before = _value(name)
        _set(name, _plain(str(wish["values"][name])))
        return {"live": name, "value": before}
    file = _file(wish)
    try:
        make_parent(file["path"])
    except OSError as error:
        raise system_failure("made", file["path"], error) from error
    return file_operation.apply(file, change)


def undo(record: Undo) -> str:
    """Take a change back."""
    if "live" not in record:
        return file_operation.undo(record)
    if record["value"] is not None:
        _set(record["live"], record["value"])
    return f"set {record['live']} to what it was"


def _file(wish: Wish) -> Wish:
    lines = [f"{name} = {_plain(str(value))}" for name, value in wish["values"].items()]
    return owned_file(wish, f"/etc/sysctl.d/{wish['name']}.conf", lines)


def _plain(value: str) -> str:
    return " ".join(value.split())


def _path(name: str) -> str:
    """Where a parameter is: with dots between words, or with slashes and dots within words."""
    separator = next((letter for letter in name if letter in "./"), ".")
    words = name.split("/") if separator == "/" else [word.replace("/", ".") for word in name.split(".")]
    if any(word in ("", ".", "..") for word in words):
        raise HostError("host-parameter-invalid", f"{name} is no parameter of the kernel")
    return os.path.join(_LIVE, *words)


def _value(name: str) -> str | None:
    try:
        with open(_path(name), encoding="utf-8", errors="replace") as stream:
            return _plain(stream.read())
    except OSError:
        # Not there before a module is loaded, or not to be read.
        return None


def _set(name: str, value: str) -> None:
    try:
        with open(_path(name), "w", encoding="utf-8") as stream:
            stream.write(value + "\n")
    except OSError as error:
        raise HostError(
            "host-parameter-not-set",
            f"{name} can't be set to {value}: {error.strerror}",
            "in a container, set it on its host, and `live: false` here",
        ) from error
