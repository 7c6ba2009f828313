"""``user``: an account of the host."""

from __future__ import annotations

import contextlib
import filecmp
import grp
import os
import pwd
import shutil
from typing import Any

from omeroadmin.provisioning.agent.accounts import group_name, same_group
from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.running import check

_SKELETON = "/etc/skel"
_OPTIONS = {"uid": "-u", "group": "-g", "home": "-d", "shell": "-s"}
"""Fields that ``usermod`` changes, and its options for them."""


def facts(wish: Wish) -> Facts:
    """The account as it is; never its password, only whether one can be used."""
    name = wish["name"]
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        return {"exists": False}
    return {
        "exists": True,
        "uid": account.pw_uid,
        "group": group_name(account.pw_gid),
        "groups": sorted(entry.gr_name for entry in grp.getgrall() if name in entry.gr_mem),
        "home": account.pw_dir,
        "home_exists": os.path.isdir(wish["home"] or account.pw_dir),
        "shell": account.pw_shell,
        "password": _password_state(name),
    }


def _password_state(name: str) -> str:
    """``none`` (no password will do), ``locked``, ``set``, or ``unknown`` to those who may not ask."""
    with contextlib.suppress(OSError), open("/etc/shadow", encoding="utf-8", errors="replace") as stream:
        for line in stream:
            account, _, rest = line.partition(":")
            if account == name:
                word = rest.partition(":")[0]
                return "none" if word == "*" else "locked" if word.startswith("!") else "set"
    return "unknown"


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Make it, or change what differs."""
    name = wish["name"]
    if not facts["exists"]:
        return [Change("make", f"make {'system ' if wish['system'] else ''}user {name}", "", _wished(wish))]
    changes = []
    differs = _differences(wish, facts)
    if differs:
        before = "".join(f"{field} {_shown(old)}\n" for field, (old, _) in differs.items())
        after = "".join(f"{field} {_shown(new)}\n" for field, (_, new) in differs.items())
        changes.append(Change("change", f"change user {name}", before, after))
    if wish["create_home"] and not facts["home_exists"]:
        changes.append(Change("home", f"make the home {wish['home'] or facts['home']} of user {name}"))
    return changes


def _wished(wish: Wish) -> str:
    fields = ("uid", "group", "groups", "home", "shell")
    return "".join(f"{field} {_shown(wish[field])}\n" for field in fields if wish[field] not in ("", None, []))


def _shown(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _differences(wish: Wish, facts: Facts) -> dict[str, tuple[Any, Any]]:
    """Present and wished value of each field that differs; groups are only added to."""
    found: dict[str, tuple[Any, Any]] = {}
    for field in _OPTIONS:
        same = same_group(wish["group"], facts["group"]) if field == "group" else wish[field] == facts[field]
        if wish[field] not in ("", None) and not same:
            found[field] = (facts[field], wish[field])
    missing = [group for group in wish["groups"] if group not in {*facts["groups"], facts["group"]}]
    if missing:
        found["groups"] = (facts["groups"], sorted({*facts["groups"], *missing}))
    if wish["password"] != "unchanged" and facts["password"] != wish["password"]:  # noqa: S105 - a word, not a password
        found["password"] = (facts["password"], wish["password"])
    return found


def apply(wish: Wish, change: Change) -> Undo | None:
    """Make one change."""
    name = wish["name"]
    if change.action == "make":
        return _make(wish)
    before = facts(wish)
    if change.action == "home":
        home = wish["home"] or before["home"]
        _make_home(home, before)
        return {"home": home, "name": name}
    differs = _differences(wish, before)
    options = [word for field, option in _OPTIONS.items() if field in differs for word in (option, str(wish[field]))]
    if "groups" in differs:
        options += ["-a", "-G", ",".join(wish["groups"])]
    if "password" in differs:
        options += _password_options(wish)
    check(["usermod", *options, name], f"change user {name}", "end its processes first if it says that it is in use")
    record: Undo = {"name": name, **{field: before[field] for field in _OPTIONS if field in differs}}
    if "groups" in differs:
        record["added"] = [group for group in differs["groups"][1] if group not in before["groups"]]
    if differs.get("password") == ("set", "locked"):
        record["unlock"] = True
    return record


def _make(wish: Wish) -> Undo:
    name = wish["name"]
    options = [word for field in ("uid", "home", "shell") if wish[field] not in ("", None)
               for word in (_OPTIONS[field], str(wish[field]))]  # fmt: skip
    own_group = wish["group"] or (name if _is_group(name) else "")
    options += ["-g", own_group] if own_group else ["-U"]
    options += ["-G", ",".join(wish["groups"])] if wish["groups"] else []
    options += ["-r"] if wish["system"] else []
    options += ["-m"] if wish["create_home"] else ["-M"]
    options += _password_options(wish) if wish["password"] == "none" else []  # noqa: S105 - a word, not a password
    there = bool(wish["home"]) and os.path.lexists(wish["home"])
    if wish["create_home"] and wish["home"]:
        try:
            os.makedirs(os.path.dirname(wish["home"]), exist_ok=True)
        except OSError as error:
            raise system_failure("made", wish["home"], error) from error
    check(["useradd", *options, name], f"make user {name}")
    return {"made": name, "own_group": "" if own_group else name, "made_home": wish["create_home"] and not there}


def _password_options(wish: Wish) -> list[str]:
    return ["-p", "*"] if wish["password"] == "none" else ["-L"]  # noqa: S105 - a word, not a password


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _make_home(home: str, account: Facts) -> None:
    """Make a home that is missing; one that a kill left without its owner is not taken for whole."""
    from omeroadmin.provisioning.agent.files import temporary_name

    temporary = temporary_name(home)
    try:
        os.makedirs(os.path.dirname(home), exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        os.mkdir(temporary, 0o700)
        os.chown(temporary, account["uid"], grp.getgrnam(account["group"]).gr_gid)
        try:
            os.rename(temporary, home)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise system_failure("made", home, error) from error


def undo(record: Undo) -> str:
    """Take a change back; only a user that the run made is removed, its home only where nothing is in it."""
    if "made" in record:
        return _unmake(record)
    name = record["name"]
    if "home" in record and len(record) == 2:
        return _remove_home(record["home"])
    options = [word for field, option in _OPTIONS.items() if field in record for word in (option, str(record[field]))]
    options += ["-U"] if record.get("unlock") else []
    if options:
        check(["usermod", *options, name], f"change user {name}")
    for group in record.get("added", []):
        check(["gpasswd", "-d", name, group], f"take user {name} out of group {group}")
    return f"changed user {name} back"


def _unmake(record: Undo) -> str:
    name = record["made"]
    try:
        home = pwd.getpwnam(name).pw_dir
    except KeyError:
        return f"user {name} is gone already"
    check(["userdel", name], f"remove user {name}", "end its processes first")
    if record["own_group"] and _is_group(name):
        with contextlib.suppress(HostError):
            check(["groupdel", name], f"remove group {name}")
    return f"removed user {name}" + ("; " + _remove_home(home) if record["made_home"] else "")


def _remove_home(home: str) -> str:
    """Remove a home that holds nothing but what every new home holds."""
    if not os.path.isdir(home) or os.path.islink(home):
        return f"{home} is gone already"
    here, skeleton = _files_below(home), _files_below(_SKELETON)
    for name in here:
        if name not in skeleton or not filecmp.cmp(os.path.join(home, name), os.path.join(_SKELETON, name), False):
            return f"kept {home}: it is not empty"
    shutil.rmtree(home)
    return f"removed {home}"


def _files_below(directory: str) -> set[str]:
    return {
        os.path.relpath(os.path.join(parent, name), directory)
        for parent, _, names in os.walk(directory)
        for name in names
    }
