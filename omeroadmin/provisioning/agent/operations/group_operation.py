"""``group``: a group of the host."""

from __future__ import annotations

import grp

from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish
from omeroadmin.provisioning.agent.running import check


def facts(wish: Wish) -> Facts:
    """Whether it is there, and its number."""
    try:
        return {"exists": True, "gid": grp.getgrnam(wish["name"]).gr_gid}
    except KeyError:
        return {"exists": False}


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Make it, or give it the number it should have."""
    name, number = wish["name"], wish["gid"]
    if not facts["exists"]:
        return [Change("make", f"make group {name}" + ("" if number is None else f" ({number})"))]
    if number is not None and number != facts["gid"]:
        return [Change("number", f"change number of group {name}", f"{facts['gid']}\n", f"{number}\n")]
    return []


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    name, number = wish["name"], wish["gid"]
    options = [] if number is None else ["-g", str(number)]
    if change.action == "make":
        check(["groupadd", *options, *(["-r"] if wish["system"] else []), name], f"make group {name}")
        return {"made": name}
    before = facts(wish)
    check(["groupmod", *options, name], f"change group {name}")
    return {"name": name, "gid": before["gid"]}


def undo(record: Undo) -> str:
    """Take a change back; a group that is some user's own stays."""
    if "made" not in record:
        check(["groupmod", "-g", str(record["gid"]), record["name"]], f"change group {record['name']}")
        return f"gave group {record['name']} its number back"
    name = record["made"]
    if not facts({"name": name})["exists"]:
        return f"group {name} is gone already"
    try:
        check(["groupdel", name], f"remove group {name}")
    except HostError as failure:
        return f"kept group {name}: {failure.message}"
    return f"removed group {name}"
