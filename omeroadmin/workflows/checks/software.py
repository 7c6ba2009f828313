"""Programs and components: which there are, and their versions."""

from __future__ import annotations

import os
import platform
import re
import sys
import zipfile
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.system import process
from omeroadmin.system.files import read_text
from omeroadmin.version import VERSION
from omeroadmin.workflows.checks.model import Category, Item, Status, Subject

_COMMANDS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("java", ("-version",), r'version "([^"]+)"'),
    ("icegridnode", ("--version",), r"(\d+\.[\w.]+)"),
    ("icegridadmin", ("--version",), r"(\d+\.[\w.]+)"),
    ("psql", ("--version",), r"\(PostgreSQL\) (\S+)"),
    ("openssl", ("version",), r"SSL (\S+)"),
)
_NEEDED_BY_DISTRIBUTION = frozenset({"java", "icegridnode", "icegridadmin"})
_TIMEOUT = 10.0


def commands(subject: Subject) -> Category:
    """The programs that OMERO uses, with version and path, and how many others of the name PATH holds."""
    search_path = subject.environment.get("PATH", os.defpath)
    items = [_command(subject, *declared, search_path) for declared in _COMMANDS]
    others = len({path.resolve() for path in copies("python", search_path)} - {Path(sys.executable).resolve()})
    python = Item("python -V", Status.OK, _found(platform.python_version(), Path(sys.executable), others))
    items.insert(1, python)
    return Category("commands", "Commands", tuple(items))


def _command(subject: Subject, name: str, arguments: tuple[str, ...], pattern: str, search_path: str) -> Item:
    title = " ".join((name, *arguments))
    found = copies(name, search_path)
    if not found:
        if subject.instance.is_distribution and name in _NEEDED_BY_DISTRIBUTION:
            return Item(title, Status.FAIL, "not found", f"install {name}, or put its directory on PATH")
        return Item(title, Status.SKIP, "not found")
    try:
        done = process.run([found[0], *arguments], timeout=_TIMEOUT)
    except AdminError as error:
        return Item(title, Status.WARN, f"error: {error.message}", error.hint)
    match = re.search(pattern, f"{done.output}\n{done.error_output}")
    if match is None or not done.succeeded:
        return Item(title, Status.WARN, f"error: {done.last_words()} ({found[0]})", f"see what it says: {title}")
    return Item(title, Status.OK, _found(match.group(1), found[0], len(found) - 1))


def _found(version: str, path: Path, others: int) -> str:
    return f"{version:<10} ({path}{f' -- {others} others' if others else ''})"


def copies(name: str, search_path: str) -> list[Path]:
    """All programs of a name on a search path; one that is there under two directories' names counts once."""
    candidates = [Path(directory) / name for directory in search_path.split(os.pathsep) if directory]
    found: dict[Path, Path] = {}
    for path in candidates:
        # os.access first: looking into a directory that is closed to this user is an error for is_file.
        if os.access(path, os.X_OK) and path.is_file():
            found.setdefault(path.resolve(), path)
    return list(found.values())


def components(subject: Subject) -> Category:
    """Versions of toolkit and server."""
    server = distribution_version(subject.instance.etc / "omero.properties")
    if not subject.instance.is_distribution:
        server = f"{VERSION} (reference server)"
    items = (Item("omeroadmin", Status.OK, VERSION), Item("OMERO.server", Status.OK, server))
    return Category("components", "Component", items)


def distribution_version(properties: Path) -> str:
    """``omero.version`` of a distribution; ``unknown`` where it doesn't say."""
    if not properties.is_file():
        return "unknown"
    match = re.search(r"^omero\.version\s*=\s*(\S+)", read_text(properties), re.MULTILINE)
    return match.group(1) if match else "unknown"


def jars(subject: Subject) -> Category:
    """OMERO's own jars of a distribution, with the version that their manifests give."""
    directory = subject.instance.server_jars
    found = [path for kind in ("formats", "ome", "omero") for path in sorted(directory.glob(f"{kind}-*.jar"))]
    return Category("jars", "Jar", tuple(_jar(path, directory) for path in found))


def _jar(path: Path, directory: Path) -> Item:
    name = str(path.relative_to(directory.parent.parent))
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = archive.read("META-INF/MANIFEST.MF").decode("utf-8", "replace")
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        return Item(name, Status.WARN, f"can't be read: {error}", f"unpack the distribution again; {path} is damaged")
    fields = dict(re.findall(r"^Implementation-(\w+): *(.*?)\r?$", manifest, re.MULTILINE))
    words = [fields[key] for key in ("Version", "Build", "Date") if fields.get(key)]
    return Item(name, Status.OK, " ".join(words) or "no version")
