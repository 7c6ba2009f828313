"""Virtual environments of Python: what is in them, read from their files without running pip."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from typing import Any, NamedTuple

from omeroadmin.provisioning.agent.files import read_whole, status_of, write_whole
from omeroadmin.provisioning.agent.requirements import normal_name
from omeroadmin.provisioning.agent.running import find_program
from omeroadmin.provisioning.agent.state import make_state_directory, state_directory

_PYTHON = re.compile(r"python(\d+\.\d+)t?")


class Condition(NamedTuple):
    """How an environment is.

    :param state: ``absent``, ``foreign`` (something else is there), ``broken``, ``whole``
    :param why: what is broken
    :param python: its Python: ``3.11``
    """

    state: str
    why: str
    python: str


def condition(path: str) -> Condition:
    """How an environment is, by its files and by what an interrupted run left."""
    try:
        filled = bool(os.listdir(path))
    except (FileNotFoundError, NotADirectoryError):
        filled = os.path.lexists(path)
    if _record(path).get("unfinished"):
        return Condition("broken", "an earlier run was interrupted in it", "")
    if not filled:
        return Condition("absent", "", "")
    python = _own_version(path)
    if not python:
        return Condition("foreign", "", "")
    program = os.path.join(path, "bin", "python")
    if not os.access(program, os.X_OK):
        return Condition("broken", "its Python is gone", python)
    if program_version(program) not in {"", python} or not os.path.isdir(site_packages(path, python)):
        return Condition("broken", f"its Python is not {python} any more", python)
    return Condition("whole", "", python)


def _own_version(path: str) -> str:
    content = read_whole(os.path.join(path, "pyvenv.cfg")) or b""
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", content.decode(errors="replace"), re.MULTILINE)
    return found[1] if found else ""


def site_packages(path: str, python: str) -> str:
    """Where packages are."""
    return os.path.join(path, "lib", f"python{python}", "site-packages")


def program_version(program: str) -> str:
    """Major and minor version of a Python, by the name of its file; empty where that doesn't tell."""
    place = program if "/" in program else find_program(program) or ""
    found = _PYTHON.fullmatch(os.path.basename(os.path.realpath(place))) if place else None
    return found[1] if found else ""


def installed_versions(path: str, python: str) -> "dict[str, str]":
    """Versions by normalised name; what was installed half only is not among them."""
    versions = {}
    with contextlib.suppress(FileNotFoundError), os.scandir(site_packages(path, python)) as entries:
        for entry in entries:
            name, _, kind = entry.name.rpartition(".")
            name, _, version = name.partition("-")
            if kind == "dist-info" and version and os.path.exists(os.path.join(entry.path, "RECORD")):
                versions[normal_name(name)] = version.partition("-")[0]
    return versions


def _record_path(path: str) -> str:
    name = hashlib.sha256(os.path.abspath(path).encode()).hexdigest()[:32]
    return os.path.join(state_directory(), "virtualenvs", f"{name}.json")


def _record(path: str) -> "dict[str, Any]":
    with contextlib.suppress(ValueError):
        found = json.loads(read_whole(_record_path(path)) or b"{}")
        if isinstance(found, dict):
            return found
    return {}


def _stamp(path: str) -> int:
    status = status_of(os.path.join(path, "pyvenv.cfg"))
    return status.st_mtime_ns if status else 0


def begin(path: str) -> None:
    """Note that the environment is being changed: whoever finds this note finds it half-way."""
    _write_record(path, {**_record(path), "path": path, "unfinished": True})


def end(path: str, fulfilled: "list[str]") -> None:
    """Note that the change is over.

    :param fulfilled: digests of requirements that are in it now
    """
    known = recorded_digests(path)
    digests = sorted({*known, *fulfilled})
    _write_record(path, {"path": path, "stamp": _stamp(path), "fulfilled": digests})


def forget(path: str) -> None:
    """Drop the notes."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_record_path(path))


def recorded_digests(path: str) -> "set[str]":
    """Digests of the requirements that were installed in this very environment."""
    record = _record(path)
    return set(record.get("fulfilled", [])) if record.get("stamp") == _stamp(path) else set()


def requirement_digest(text: str) -> str:
    """What stands for a requirement, and for a file that it names, in the notes: it may hold a password."""
    digest = hashlib.sha256(text.encode())
    if text.startswith("/"):
        with contextlib.suppress(OSError), open(text, "rb") as stream:
            while True:
                block = stream.read(1 << 20)
                if not block:
                    break
                digest.update(block)
    return digest.hexdigest()


def _write_record(path: str, record: "dict[str, Any]") -> None:
    make_state_directory()
    target = _record_path(path)
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    write_whole(target, json.dumps(record).encode(), 0o600)
