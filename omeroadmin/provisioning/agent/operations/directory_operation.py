"""``directory``: a directory with owner, group and mode, or no directory there."""

from __future__ import annotations

import os

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import describe_path, status_of
from omeroadmin.provisioning.agent.ownership import attribute_changes, give
from omeroadmin.provisioning.agent.places import held


def facts(wish: Wish) -> Facts:
    """What is at the path."""
    return describe_path(wish["path"])


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Make it, or give it the owner and mode it should have."""
    path = wish["path"]
    if wish["state"] == "absent":
        return [Change("remove", f"remove the empty directory {path}")] if facts["exists"] else []
    if not facts["exists"]:
        return [Change("make", f"make directory {path} ({_wished(wish)})")]
    if facts["kind"] != "directory":
        raise HostError("host-not-a-directory", f"{path} is there and is not a directory", f"look: ls -ld {path}")
    return attribute_changes(wish, facts)


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    path = wish["path"]
    try:
        before = describe_path(path)
        if change.action == "remove":
            with held(path, follow=False) as place:
                os.rmdir(place)
            return {"make": path, "mode": before["mode"], "owner": before["owner"], "group": before["group"]}
        if change.action == "make":
            _make(path)
            give(path, wish["owner"], wish["group"], wish["mode"] or "0755")
            return {"remove": path}
        give(path, wish["owner"], wish["group"], wish["mode"])
        return {"path": path, "mode": before["mode"], "owner": before["owner"], "group": before["group"]}
    except OSError as error:
        raise system_failure("made" if change.action == "make" else "changed", path, error) from error


def undo(record: Undo) -> str:
    """Take a change back; a directory that has been filled since stays."""
    if "remove" in record:
        path = record["remove"]
        if status_of(path) is not None and not os.listdir(path):
            with held(path, follow=False) as place:
                os.rmdir(place)
            return f"removed directory {path}"
        return f"kept directory {path}: it is not empty"
    path = record.get("make") or record["path"]
    _make(path)
    give(path, record["owner"], record["group"], record["mode"])
    return f"gave directory {path} its owner and mode back"


def _make(path: str) -> None:
    with held(path, make=True) as place:
        os.makedirs(place, exist_ok=True)


def _wished(wish: Wish) -> str:
    return " ".join(filter(None, (wish["mode"] or "0755", wish["owner"], wish["group"])))
