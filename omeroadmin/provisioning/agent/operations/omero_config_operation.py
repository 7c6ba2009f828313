"""``omero-config``: properties of an instance, set by the toolkit of the host."""

from __future__ import annotations

import json
import os
from typing import Any

from omeroadmin.provisioning.agent.accounts import user_name
from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.config_xml import config_path, is_secret, read_properties
from omeroadmin.provisioning.agent.toolkit import run_omero

_MASK = "********"


def facts(wish: Wish) -> Facts:
    """Per property whether it is as wished; its value where that may be shown and differs."""
    present = read_properties(config_path(wish["omerodir"]), wish["profile"])
    found: Facts = {"there": present is not None, "properties": {}}
    values = present or {}
    for name, wanted in _wanted(wish).items():
        state: dict[str, Any] = {"is": "absent"}
        if name in values:
            state = {"is": "same" if values[name] == wanted else "other"}
            if state["is"] == "other" and not _hidden(wish, name):
                state["value"] = values[name]
        found["properties"][name] = state
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """One change of all properties that differ."""
    before, after, names = [], [], []
    for name, wanted in sorted(_wanted(wish).items()):
        state = facts["properties"][name]
        if state["is"] == "same" or (state["is"] == "absent" and wanted is None):
            continue
        names.append(name)
        if state["is"] == "other":
            before.append(f"{name}={state.get('value', _MASK)}\n")
        if wanted is not None:
            hidden = f"{_MASK} (another)" if state["is"] == "other" else _MASK
            after.append(f"{name}={hidden if _hidden(wish, name) else wanted}\n")
    if not names:
        return []
    listed = ", ".join(names) if len(names) <= 3 else f"{len(names)} properties"
    where = config_path(wish["omerodir"])
    words = f"set {listed} in {where}" if facts["there"] else f"make {where} and set {listed}"
    return [Change("set", words, "".join(before), "".join(after))]


def apply(wish: Wish, change: Change) -> Undo | None:
    """Let the host's toolkit make the change, under its lock and in its history; values go through stdin."""
    path = config_path(wish["omerodir"])
    present = read_properties(path, wish["profile"]) or {}
    wanted = {name: value for name, value in _wanted(wish).items() if present.get(name) != value}
    record = {name: wish[name] for name in ("omerodir", "profile", "program", "user")}
    record["values"] = {name: present.get(name) for name in wanted if not _hidden(wish, name)}
    record["secrets"] = sorted(name for name in wanted if _hidden(wish, name))
    _set(record, wanted)
    after = read_properties(path, wish["profile"]) or {}
    wrong = sorted(name for name, value in wanted.items() if after.get(name) != value)
    if wrong:
        raise HostError("host-config-not-set", f"{change.words}: {', '.join(wrong)} had no effect")
    return record


def undo(record: Undo) -> str:
    """Give the properties their earlier values back; those of secrets are kept nowhere."""
    if record["values"] and os.path.isdir(record["omerodir"]):
        _set(record, record["values"])
    left = f"; left {', '.join(record['secrets'])}: earlier secrets are not kept" if record["secrets"] else ""
    return f"gave {len(record['values'])} properties of {record['omerodir']} their values back{left}"


def _wanted(wish: Wish) -> dict[str, str | None]:
    texts: dict[str, str | None] = {name: _text(value) for name, value in wish["set"].items()}
    texts.update({name: _text(value) for name, value in wish["set_secret"].items()})
    texts.update(dict.fromkeys(wish["remove"]))
    return texts


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _hidden(wish: Wish, name: str) -> bool:
    return name in wish["set_secret"] or is_secret(name)


def _set(where: dict[str, Any], values: dict[str, str | None]) -> None:
    user = "" if where["user"] in ("", user_name(os.geteuid())) else where["user"]
    variables = {"OMERO_CONFIG": where["profile"]} if where["profile"] else {}
    run_omero(
        where["program"], ["config", "apply", "-", "--format", "json", "--wait", "30"], where["omerodir"], user,
        json.dumps(values), environment=variables,
    )  # fmt: skip
