"""What of a snapshot is restored: all of it, or the parts and paths that were asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from omeroadmin.backups.manifest import Entry
from omeroadmin.errors import configuration_error, printable, usage_error

CONFIGURATION = "config"
DATABASE = "database"
REPOSITORY = "repository"
WORDS = (CONFIGURATION, DATABASE, REPOSITORY)

_DATA = "data"
_MANAGED = "managed"
_WITH_CONFIGURATION = frozenset({"certs", "scripts"})
"""Trees that belong to the configuration, where they lie outside the data directory."""


@dataclass(frozen=True)
class Selection:
    """What is wanted.

    :param configuration: whether ``etc/`` and the properties are
    :param database: whether the dump is
    :param roots: trees of the manifest that are wanted as wholes, by name
    :param paths: files and directories of the manifest that are wanted, without a slash at the end
    """

    configuration: bool
    database: bool
    roots: frozenset[str]
    paths: tuple[str, ...] = ()

    @property
    def files_only(self) -> bool:
        """Whether no instance is made."""
        return not (self.configuration or self.database)

    @property
    def has_files(self) -> bool:
        """Whether any files are wanted."""
        return bool(self.roots or self.paths)

    @property
    def has_data(self) -> bool:
        """Whether any of them are of the data directory or of the managed repository."""
        return self.touches(_DATA) or self.touches(_MANAGED)

    def touches(self, root: str) -> bool:
        """Whether anything of a tree is wanted."""
        return root in self.roots or any(path.partition("/")[0] == root for path in self.paths)

    def wants(self, path: str) -> bool:
        """Whether a path of the manifest is wanted, be it as a directory on the way."""
        if path.partition("/")[0] in self.roots:
            return True
        return any(_is_at_or_below(path, wanted) or _leads_to(path, wanted) for wanted in self.paths)

    def entries(self, entries: Iterable[Entry]) -> Iterable[Entry]:
        """Those that are wanted, in their order."""
        return (entry for entry in entries if self.wants(entry.path))


def _is_at_or_below(path: str, wanted: str) -> bool:
    return path.startswith(wanted) and path[len(wanted) : len(wanted) + 1] in ("", "/")


def _leads_to(path: str, wanted: str) -> bool:
    return path.endswith("/") and wanted.startswith(path)


def everything(roots: Iterable[str]) -> Selection:
    """A whole snapshot."""
    return Selection(configuration=True, database=True, roots=frozenset(roots))


def read_selection(only: Sequence[str], roots: Mapping[str, str], managed: str) -> Selection:
    """The selection that words and paths come to; none of them: everything.

    A path may be one of the original machine, one below its data directory, or one of the manifest.

    :param only: of :data:`WORDS`, or paths; ``./config`` is a path
    :param roots: where each tree of the manifest was
    :param managed: where the manifest has the managed repository
    :raises AdminError: ``selection-empty``, ``path-not-saved``
    """
    if not only:
        return everything(roots)
    wanted: set[str] = set()
    if CONFIGURATION in only:
        wanted |= _WITH_CONFIGURATION & roots.keys()
    if REPOSITORY in only:
        wanted |= {_DATA, _MANAGED} & roots.keys()
    paths = (_in_manifest(word, roots, managed) for word in only if word not in WORDS)
    return Selection(CONFIGURATION in only, DATABASE in only, frozenset(wanted), tuple(dict.fromkeys(paths)))


class Amount(NamedTuple):
    """How much is wanted."""

    files: int
    size: int


def check_found(selection: Selection, entries: Iterable[Entry]) -> Amount:
    """Make sure that every path that was asked for is in the snapshot.

    :param entries: all of the manifest
    :raises AdminError: ``path-not-saved``
    """
    count, size = 0, 0
    missing = set(selection.paths)
    for entry in selection.entries(entries):
        if missing:
            missing -= {path for path in missing if _is_at_or_below(entry.path, path)}
        if entry.is_file:
            count += 1
            size += entry.size
    if missing:
        raise _not_saved(min(missing))
    return Amount(count, size)


def _in_manifest(word: str, roots: Mapping[str, str], managed: str) -> str:
    if not word.strip("/"):
        raise usage_error(
            "selection-empty", f"--only {word!r} names nothing", f"give {', '.join(WORDS)} or the path of a file"
        )
    if word.startswith("/"):
        return _from_original(os.path.normpath(word), roots)
    path = os.path.normpath(word)
    if path == ".." or path.startswith("../"):
        raise _not_saved(word)
    if path == ".":
        return _DATA
    top, _, rest = path.partition("/")
    if top in roots:
        return path
    if top == "ManagedRepository" and managed != f"{_DATA}/ManagedRepository":
        return f"{managed}/{rest}".rstrip("/")
    return f"{_DATA}/{path}"


def _from_original(path: str, roots: Mapping[str, str]) -> str:
    for name, directory in sorted(roots.items(), key=lambda item: len(item[1]), reverse=True):
        if path == directory or path.startswith(f"{directory}/"):
            return f"{name}{path[len(directory) :]}"
    raise _not_saved(path)


def _not_saved(path: str) -> Exception:
    return configuration_error(
        "path-not-saved",
        f"the snapshot holds no {printable(path)}",
        "give paths as the data directory has them, e.g. ManagedRepository/user_2/2026-11",
    )
