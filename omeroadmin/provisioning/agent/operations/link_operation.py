"""``link``: a symbolic link that points where it should, or no link there."""

from __future__ import annotations

import contextlib
import os

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import describe_path, sync_directory, temporary_name
from omeroadmin.provisioning.agent.places import held


def facts(wish: Wish) -> Facts:
    """What is at the path, and where it points."""
    path = wish["path"]
    found = describe_path(path, follow=False)
    found["unfinished"] = False
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), held(path, follow=False) as place:
        found["unfinished"] = os.path.lexists(temporary_name(place))
        if found.get("kind") == "link":
            found["target"] = os.readlink(place)
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Make it, or point it elsewhere; whatever else is there stays."""
    path, target = wish["path"], wish["target"]
    if facts["exists"] and facts["kind"] != "link":
        raise HostError("host-not-a-link", f"{path} is there and is not a symbolic link", f"look: ls -ld {path}")
    changes = []
    if wish["state"] == "absent":
        if facts["exists"]:
            changes.append(Change("remove", f"remove link {path}", facts["target"] + "\n", ""))
    elif not facts["exists"]:
        changes.append(Change("point", f"link {path} to {target}"))
    elif facts["target"] != target:
        changes.append(Change("point", f"link {path} to {target}", facts["target"] + "\n", target + "\n"))
    if facts["unfinished"] and not changes:
        changes.append(Change("clean", f"remove what an interrupted run left beside {path}"))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    path = wish["path"]
    try:
        with held(path, follow=False) as place:
            before = os.readlink(place) if os.path.islink(place) else None
            if change.action == "clean":
                _clean(place)
                return None
            if change.action == "remove":
                os.unlink(place)
                _clean(place)
            else:
                _point(place, wish["target"])
    except OSError as error:
        raise system_failure("made" if change.action == "point" else "changed", path, error) from error
    return {"path": path, "target": before}


def undo(record: Undo) -> str:
    """Point the link back, or remove it."""
    path = record["path"]
    if os.path.lexists(path) and not os.path.islink(path):
        return f"left {path}: it is no link any more"
    with held(path, follow=False) as place:
        if record["target"] is not None:
            _point(place, record["target"])
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)
            return f"removed link {path}"
    return f"linked {path} to {record['target']} again"


def _clean(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary_name(path))


def _point(path: str, target: str) -> None:
    """Replace a link in one step."""
    _clean(path)
    try:
        os.symlink(target, temporary_name(path))
        os.rename(temporary_name(path), path)
    finally:
        _clean(path)
    sync_directory(os.path.dirname(path))
