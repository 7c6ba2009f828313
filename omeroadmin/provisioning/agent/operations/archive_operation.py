"""``archive``: a directory that holds what an archive of the controller holds."""

from __future__ import annotations

import os
import shutil

from omeroadmin.provisioning.agent.accounts import group_number, user_number
from omeroadmin.provisioning.agent.arrivals import drop, fetch, is_left
from omeroadmin.provisioning.agent.change import Change, Facts, HostError, Undo, Wish, system_failure
from omeroadmin.provisioning.agent.files import sync_directory, temporary_name
from omeroadmin.provisioning.agent.places import held


def facts(wish: Wish) -> Facts:
    """Whether the directory is there, with what it should have."""
    path = wish["path"]
    taken = os.path.lexists(path) and not _is_empty(path)
    return {
        "created": os.path.lexists(wish["creates"]) if wish["creates"] else taken and os.path.isdir(path),
        "taken": taken,
        "unfinished": os.path.lexists(temporary_name(path)) or is_left(wish),
    }


def _is_empty(path: str) -> bool:
    if os.path.islink(path) or not os.path.isdir(path):
        return False
    try:
        return not os.listdir(path)
    except OSError as error:
        raise system_failure("read", path, error) from error


def plan(wish: Wish, facts: Facts) -> list[Change]:
    """Unpack it where it isn't yet."""
    path = wish["path"]
    if facts["created"]:
        return [Change("clean", f"remove what an interrupted run left of {path}")] if facts["unfinished"] else []
    if facts["taken"]:
        raise HostError(
            "host-archive-place-taken", f"{path} is there, but not {wish['creates'] or 'a directory'}", "look at it"
        )
    return [Change("unpack", f"unpack {os.path.basename(wish['source'])} into {path}")]


def apply(wish: Wish, change: Change) -> Undo | None:
    """Unpack beside the place, then take the place in one step."""
    path = wish["path"]
    try:
        with held(path, follow=False) as place:
            temporary = temporary_name(place)
            if os.path.lexists(temporary):
                _remove(temporary)
            if change.action != "clean":
                _unpack(wish, place, temporary)
                return {"path": path}
        drop(wish)
    except OSError as error:
        raise system_failure("unpacked", path, error) from error
    return None


def _unpack(wish: Wish, place: str, temporary: str) -> None:
    from omeroadmin.provisioning.agent.unpacking import unpack

    name = os.path.basename(wish["source"])
    archive = fetch(name, wish["digest"], wish["size"])
    user = user_number(wish["owner"]) if wish["owner"] else -1
    group = group_number(wish["group"]) if wish["group"] else -1
    try:
        os.mkdir(temporary, 0o700)
        # Held as well: whoever owns the directory above may put another one in its place.
        descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            inside = f"/proc/self/fd/{descriptor}"
            unpack(archive, inside, wish["strip"], name)
            _own(inside, user, group)
            _check_result(wish, inside)
            os.fchmod(descriptor, 0o755)
            # So many files are not synchronised one by one.
            os.sync()
        finally:
            os.close(descriptor)
        os.rename(temporary, place)
    finally:
        if os.path.lexists(temporary):
            _remove(temporary)
    sync_directory(os.path.dirname(place))


def _own(directory: str, user: int, group: int) -> None:
    if (user, group) == (-1, -1):
        return
    for parent, directories, files in os.walk(directory):
        for name in (*directories, *files):
            os.chown(os.path.join(parent, name), user, group, follow_symlinks=False)
    os.chown(directory, user, group)


def _check_result(wish: Wish, temporary: str) -> None:
    path, creates = wish["path"], wish["creates"]
    if not creates.startswith(path + "/") or os.path.lexists(temporary + creates[len(path) :]):
        return
    raise HostError(
        "host-archive-without-result",
        f"{os.path.basename(wish['source'])} doesn't bring {creates}",
        "see what it holds, and whether strip is right",
    )


def undo(record: Undo) -> str:
    """Remove the directory; first out of its place, in one step."""
    path = record["path"]
    if not os.path.lexists(path):
        return f"{path} is gone already"
    with held(path, follow=False) as place:
        temporary = temporary_name(place)
        if os.path.lexists(temporary):
            _remove(temporary)
        os.rename(place, temporary)
        _remove(temporary)
    return f"removed {path}"


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
