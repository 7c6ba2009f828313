"""``file``: a file with content, owner, group and mode, or no file there."""

from __future__ import annotations

import contextlib
import os

from omeroadmin.provisioning.agent.arrivals import drop, fetch, is_left
from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import (
    as_text,
    describe_path,
    digest_of_file,
    drop_unfinished,
    has_unfinished,
    read_whole,
    write_whole,
)
from omeroadmin.provisioning.agent.kept import copy_path, keep_copy
from omeroadmin.provisioning.agent.ownership import attribute_changes, give
from omeroadmin.provisioning.agent.places import held


def facts(wish: Wish) -> Facts:
    """What is at the path; the present text only where it differs and isn't secret."""
    found = describe_path(wish["path"])
    found["unfinished"] = has_unfinished(wish["path"]) or is_left(wish)
    if wish["state"] == "absent" or found.get("kind") != "file":
        return found
    if wish.get("digest"):
        found["same"] = found["size"] == wish["size"] and digest_of_file(wish["path"]) == wish["digest"]
        return found
    content = read_whole(wish["path"])
    found["same"] = content == wish["content"].encode()
    if not found["same"] and not wish["secret"]:
        found["text"] = as_text(content)
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Write it, or give it the owner and mode it should have."""
    path = wish["path"]
    if facts["exists"] and facts["kind"] != "file":
        raise HostError("host-not-a-file", f"{path} is there and is not a regular file", f"look at it: ls -ld {path}")
    if wish["state"] == "absent":
        return [Change("remove", f"remove {path}")] if facts["exists"] else []
    changes = []
    if not facts["exists"]:
        after = None if wish["secret"] or wish.get("digest") else wish["content"]
        changes.append(Change("write", f"write {path} ({_wished(wish)})", "" if after else None, after))
    elif not facts["same"] and not wish["only_new"]:
        before = None if wish["secret"] else facts.get("text")
        changes.append(Change("write", f"write {path}", before, None if before is None else wish["content"]))
    if facts["exists"]:
        changes += attribute_changes(wish, facts)
    if facts["unfinished"] and not changes:
        changes.append(Change("clean", f"remove what an interrupted run left of {path}"))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    path = wish["path"]
    try:
        if change.action == "clean":
            drop_unfinished(path)
            drop(wish)
            return None
        before = describe_path(path)
        record = {"path": path, **before}
        if change.action in {"write", "remove"}:
            record["copy"] = keep_copy(path) if before["exists"] and not wish["secret"] else None
        if change.action == "remove":
            with held(path, follow=False) as place:
                os.unlink(place)
        elif change.action == "write":
            mode = int(wish["mode"] or before.get("mode") or ("0600" if wish["secret"] else "0644"), 8)
            _write(wish, mode)
        else:
            give(path, wish["owner"], wish["group"], wish["mode"])
    except OSError as error:
        raise system_failure("changed", path, error) from error
    return record


def _write(wish: Wish, mode: int) -> None:
    path, owner, group = wish["path"], wish["owner"], wish["group"]
    if not wish.get("digest"):
        write_whole(path, wish["content"].encode(), mode, owner, group)
        return
    with open(fetch(os.path.basename(wish["source"]), wish["digest"], wish["size"]), "rb") as stream:
        write_whole(path, stream, mode, owner, group)


def undo(record: Undo) -> str:
    """Take a change back."""
    path = record["path"]
    if not record["exists"]:
        with contextlib.suppress(FileNotFoundError), held(path, follow=False) as place:
            os.unlink(place)
        return f"removed {path}"
    if record.get("copy"):
        with open(copy_path(record["copy"]), "rb") as stream:
            write_whole(path, stream, int(record["mode"], 8), record["owner"], record["group"])
        return f"wrote {path} as it was"
    if "copy" in record:
        return f"left {path}: no copy is kept of secrets"
    give(path, record["owner"], record["group"], record["mode"])
    return f"gave {path} its owner and mode back"


def _wished(wish: Wish) -> str:
    mode = wish["mode"] or ("0600" if wish["secret"] else "0644")
    return " ".join(filter(None, (mode, wish["owner"], wish["group"])))
