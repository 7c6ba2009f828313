"""Edits of text files on a host: what the operations line and block share."""

from __future__ import annotations

from typing import Callable

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import (
    as_text,
    describe_path,
    drop_unfinished,
    has_unfinished,
    read_whole,
    write_whole,
)
from omeroadmin.provisioning.agent.kept import keep_copy

Edit = Callable[[Wish, str], str]
"""The text that a wish makes of a text; without a change, the same."""


def edit_facts(wish: Wish, edit: Edit) -> Facts:
    """Whether the file is there and as wished; its text only where it isn't, and isn't secret."""
    found = describe_path(wish["path"])
    found["unfinished"] = has_unfinished(wish["path"])
    if found.get("kind") != "file":
        return found
    content = read_whole(wish["path"]) or b""
    text = _decoded(content)
    found["same"] = edit(wish, text) == text
    if not found["same"] and not wish["secret"]:
        found["text"] = as_text(content)
    return found


def edit_plan(wish: Wish, facts: Facts, edit: Edit, what: str) -> list[Change]:
    """Edit the file, or make it where that is wished.

    :param what: what is put in or taken out: ``line`` or ``block NAME``
    """
    path, removes = wish["path"], wish["state"] == "absent"
    if facts["exists"] and facts["kind"] != "file":
        raise HostError("host-not-a-file", f"{path} is there and is not a regular file", f"look at it: ls -ld {path}")
    changes = []
    words = f"remove {what} from {path}" if removes else f"put {what} into {path}"
    if not facts["exists"]:
        if removes:
            return []
        made = "" if wish["create"] else ", once it is there"
        text = None if wish["secret"] else edit(wish, "")
        return [Change("edit", words + made, None if text is None else "", text)]
    if not facts["same"]:
        before = facts.get("text")
        changes.append(Change("edit", words, before, None if before is None else edit(wish, before)))
    if facts["unfinished"] and not changes:
        changes.append(Change("clean", f"remove what an interrupted run left beside {path}"))
    return changes


def edit_apply(wish: Wish, change: Change, edit: Edit) -> Undo | None:
    """Make one change.

    :raises HostError: ``host-file-missing`` where nothing has brought the file
    """
    path = wish["path"]
    if change.action == "clean":
        try:
            drop_unfinished(path)
        except OSError as error:
            raise system_failure("changed", path, error) from error
        return None
    before = describe_path(path)
    if not before["exists"] and not wish["create"]:
        raise HostError("host-file-missing", f"there is no {path} to edit", "set create, or install what brings it")
    record = {"path": path, **before}
    try:
        record["copy"] = keep_copy(path) if before["exists"] and not wish["secret"] else None
    except OSError as error:
        raise system_failure("kept", path, error) from error
    new = edit(wish, _decoded(read_whole(path) or b""))
    mode = int(before.get("mode") or ("0600" if wish["secret"] else "0644"), 8)
    write_whole(path, new.encode("utf-8", "surrogateescape"), mode)
    return record


def _decoded(content: bytes) -> str:
    """Any bytes as text that gives the same bytes again."""
    return content.decode("utf-8", "surrogateescape")
