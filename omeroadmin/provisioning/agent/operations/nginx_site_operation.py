"""``nginx-site``: a site of nginx, where the distribution wants it; nginx has tested it before it is there."""

from __future__ import annotations

import contextlib
import os

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import as_text, read_whole, write_whole
from omeroadmin.provisioning.agent.kept import keep_copy, take_copy
from omeroadmin.provisioning.agent.nginx import SitePlace, check_site

_OFF = ".off"


def facts(wish: Wish) -> Facts:
    """What the site's file holds, and whether nginx reads it."""
    place = SitePlace(wish["directory"], wish["name"])
    content = read_whole(place.file)
    found: Facts = {
        "file": place.file,
        "exists": content is not None,
        "same": content is not None and content == wish["content"].encode(),
        "by_link": place.by_link,
        "enabled": os.path.exists(place.read),
        "default": wish["remove_default"] and os.path.lexists(place.default),
    }
    if content is not None and not found["same"]:
        found["text"] = as_text(content)
    return found


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Write the site, switch it on or off, switch the default site off."""
    name, changes = wish["name"], []
    if wish["state"] == "absent" or not (facts["by_link"] or wish["enabled"]):
        return [Change("remove", f"remove the nginx site {name}")] if facts["exists"] or facts["enabled"] else []
    if facts["default"]:
        changes.append(Change("default", "switch nginx's default site off"))
    if not facts["exists"]:
        changes.append(Change("write", f"write the nginx site {facts['file']}", "", wish["content"]))
    elif not facts["same"]:
        changes.append(Change("write", f"write the nginx site {facts['file']}", facts["text"], wish["content"]))
    if facts["by_link"] and wish["enabled"] and not facts["enabled"]:
        changes.append(Change("enable", f"switch the nginx site {name} on"))
    if facts["by_link"] and not wish["enabled"] and facts["enabled"]:
        changes.append(Change("disable", f"switch the nginx site {name} off"))
    return changes


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change, after nginx has accepted the whole of what is wished."""
    place = SitePlace(wish["directory"], wish["name"])
    wished = wish["state"] == "present" and wish["enabled"]
    check_site(place, wish["content"] if wished else None, with_default=not wish["remove_default"])
    record: Undo = {"action": change.action, "file": place.file, "read": place.read, "default": place.default}
    try:
        if change.action == "default":
            record["link"] = _switch_default_off(place)
        elif change.action == "enable":
            _link(place.file, place.read)
        elif change.action == "disable":
            os.unlink(place.read)
        else:
            record["copy"] = keep_copy(place.file) if os.path.exists(place.file) else None
            record["enabled"] = os.path.lexists(place.read)
            if change.action == "write":
                write_whole(place.file, wish["content"].encode(), 0o644)
            else:
                for path in (place.read, place.file):
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(path)
    except OSError as error:
        raise system_failure("changed", error.filename or place.file, error) from error
    return record


def undo(record: Undo) -> str:
    """Take a change back; nginx is not asked: it was so before."""
    action, path, read = record["action"], record["file"], record["read"]
    if action == "default":
        with contextlib.suppress(FileNotFoundError):
            if record["link"]:
                _link(record["link"], record["default"])
            else:
                os.replace(record["default"] + _OFF, record["default"])
        return "switched nginx's default site on again"
    if action == "enable":
        with contextlib.suppress(FileNotFoundError):
            os.unlink(read)
        return f"removed {read}"
    if record.get("copy"):
        write_whole(path, take_copy(record["copy"]), 0o644)
    elif action == "write":
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return f"removed {path}"
    if action == "disable" or (action == "remove" and record["enabled"] and read != path):
        _link(path, read)
    return f"gave {path} back"


def _switch_default_off(place: SitePlace) -> str:
    """Return where the link led; empty where it was a file, which is kept under another name."""
    if os.path.islink(place.default):
        target = os.readlink(place.default)
        os.unlink(place.default)
        return target
    os.replace(place.default, place.default + _OFF)
    return ""


def _link(target: str, path: str) -> None:
    if os.path.lexists(path) and not os.path.islink(path):
        raise HostError("host-not-a-link", f"{path} is there and is not a link", f"look at it: ls -l {path}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    os.symlink(target, path)
