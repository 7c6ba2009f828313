"""What a file may be called in the managed repository: ``omero.fs.repo.path_rules``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from omeroadmin.errors import configuration_error, failed_error

SAFE = "_"
"""Stands for every character that may not be used."""
LONGEST_NAME = 255
"""Bytes of a file name that Linux's file systems take."""

_DEVICES = re.compile(r"(?:AUX|CLOCK\$|CON|NUL|PRN|COM[1-9]|LPT[1-9])(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class PathRules:
    """The restrictions in force.

    :param forbidden: characters that no name has
    :param bad_starts: characters that no name begins with
    :param bad_ends: characters that no name ends with
    :param devices: whether names of DOS devices are refused
    """

    forbidden: frozenset[str]
    bad_starts: frozenset[str] = frozenset()
    bad_ends: frozenset[str] = frozenset()
    devices: bool = False


_NAMED = {
    "windows required": PathRules(frozenset('"*/:<>?\\|'), bad_starts=frozenset("$"), devices=True),
    "windows optional": PathRules(frozenset(), bad_ends=frozenset(". ")),
    "unix required": PathRules(frozenset("/")),
    "unix optional": PathRules(frozenset(), bad_starts=frozenset(".-")),
}
_NAMED["local required"] = _NAMED["unix required"]
_NAMED["local optional"] = _NAMED["unix optional"]


def parse_path_rules(text: str) -> PathRules:
    """The union of a comma-separated list of rule sets.

    :param text: value of ``omero.fs.repo.path_rules``
    :raises AdminError: ``path-rules-invalid``
    """
    names = [" ".join(name.split()).lower() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in _NAMED]
    if unknown or not names:
        raise configuration_error(
            "path-rules-invalid",
            f"omero.fs.repo.path_rules has no rules named {', '.join(unknown) or '(empty)'}",
            "known are Windows, UNIX and local, each with required or optional",
        )
    chosen = [_NAMED[name] for name in names]
    return PathRules(
        # A slash would make two components of one whatever the rules say.
        frozenset("/").union(*(rules.forbidden for rules in chosen)),
        frozenset().union(*(rules.bad_starts for rules in chosen)),
        frozenset().union(*(rules.bad_ends for rules in chosen)),
        any(rules.devices for rules in chosen),
    )


def safe_name(name: str, rules: PathRules) -> str:
    """A name for one path component that the rules allow; an allowed name stays as it is.

    :raises AdminError: ``file-name-invalid`` for an empty name
    """
    if not name:
        raise failed_error("file-name-invalid", "a file without a name can't be stored")
    clean = "".join(SAFE if _is_bad(character, rules) else character for character in name)
    if clean in (".", ".."):
        clean = SAFE * len(clean)
    if clean[0] in rules.bad_starts or (rules.devices and _DEVICES.fullmatch(clean)):
        clean = SAFE + clean
    if clean[-1] in rules.bad_ends:
        clean += SAFE
    return _shortened(clean)


def forbidden_part(name: str, rules: PathRules) -> str:
    """What the rules forbid about a name of a file or folder; empty for a name that they allow.

    Control characters and surrogates are not the rules' business: they are replaced.
    """
    bad = sorted(set(name) & rules.forbidden)
    if bad:
        return f"the character {bad[0]}"
    if name[:1] in rules.bad_starts:
        return f"{name[0]} at its beginning"
    if name[-1:] in rules.bad_ends:
        return f"{'a space' if name[-1] == ' ' else name[-1]} at its end"
    if rules.devices and _DEVICES.fullmatch(name):
        return "the name of a device"
    return ""


def _is_bad(character: str, rules: PathRules) -> bool:
    return character in rules.forbidden or unicodedata.category(character) in ("Cc", "Cs")


def _shortened(name: str) -> str:
    """Cut the middle of an overlong name so that its suffix survives."""
    if len(name.encode()) <= LONGEST_NAME:
        return name
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix.encode()) <= 20 else ""
    room = LONGEST_NAME - len(suffix.encode())
    stem = name.removesuffix(suffix).encode()[:room].decode("utf-8", "ignore")
    return stem + suffix


def safe_relative_paths(client_paths: Sequence[str], rules: PathRules) -> tuple[PurePosixPath, ...]:
    """Paths below the fileset's directory for the files of one import.

    Directories that all files share are left out; the rest of their arrangement stays. No two paths are the same.

    :param client_paths: absolute or relative, with ``/`` or ``\\`` between components
    :raises AdminError: ``file-name-invalid`` for a path whose stored part the rules forbid or that another one is in
        the way of, ``path-escapes``
    """
    split = [_components(path) for path in client_paths]
    shared = _shared_length([components[:-1] for components in split])
    for components in split:
        for name in components[shared:]:
            _refuse(name, rules)
    taken: set[PurePosixPath] = set()
    result: list[PurePosixPath] = []
    for components in split:
        path = PurePosixPath(*(safe_name(name, rules) for name in components[shared:]))
        unique = _unique(path, taken)
        taken.add(PurePosixPath(str(unique).lower()))
        result.append(unique)
    _refuse_file_as_directory(result, taken)
    return tuple(result)


def _refuse_file_as_directory(paths: Sequence[PurePosixPath], taken: set[PurePosixPath]) -> None:
    """No file is where another one needs a directory, not even where upper and lower case are the same."""
    for path in paths:
        if not taken.isdisjoint(PurePosixPath(str(path).lower()).parents):
            raise failed_error(
                "file-name-invalid",
                f"{str(path)!r} can't be stored: another file of the import has its directory's name",
            )


def _refuse(name: str, rules: PathRules) -> None:
    part = forbidden_part(name, rules)
    if part:
        raise failed_error(
            "file-name-invalid",
            f"{name!r} can't be stored: omero.fs.repo.path_rules forbids {part}",
            "rename it, or ask the administrator for other rules",
        )


def _components(path: str) -> list[str]:
    separated = path.replace("\\", "/") if re.match(r"[A-Za-z]:\\|\\\\", path) else path
    components = [part for part in separated.split("/") if part not in ("", ".")]
    if ".." in components:
        raise failed_error("path-escapes", f"{path!r} has .. in it, which could leave the repository", "name it whole")
    if separated is not path and components and re.fullmatch(r"[A-Za-z]:", components[0]):
        # A drive is no name: it keeps files of two drives apart.
        components[0] = components[0][0]
    if not components or separated.endswith("/"):
        raise failed_error("file-name-invalid", f"{path!r} is not the path of a file")
    return components


def _shared_length(directories: list[list[str]]) -> int:
    shared = 0
    for level in zip(*directories, strict=False):
        if len(set(level)) != 1:
            break
        shared += 1
    return shared


def _unique(path: PurePosixPath, taken: set[PurePosixPath]) -> PurePosixPath:
    candidate = path
    number = 1
    while PurePosixPath(str(candidate).lower()) in taken:
        number += 1
        stem = path.stem.encode()[: LONGEST_NAME - 40].decode("utf-8", "ignore")
        candidate = path.with_name(f"{stem}{SAFE}{number}{path.suffix[-20:]}")
    return candidate
