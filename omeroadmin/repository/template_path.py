"""Where an import goes: expands ``omero.fs.repo.path``."""

from __future__ import annotations

import calendar
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.repository.path_rules import PathRules, safe_name
from omeroadmin.schema.values.template_path import COUNTING_TERMS, TERM, split_template, template_problem
from omeroadmin.system import files

_MOST_MILLISECONDS = 86_400_000
_MOST_INCREMENTS = 1_000_000
_MOST_LEVELS = 6


@dataclass(frozen=True)
class TemplateContext:
    """What an import's path may tell.

    :param permissions: of the group, six characters such as ``rw----``
    :param session: key of the session
    :param thread: name of the server's thread
    :param moment: time of the import, in the server's time zone
    :param client_paths: the files; the same files have the same ``%hash%``
    """

    user: str
    user_id: int
    group: str
    group_id: int
    permissions: str
    session: str
    session_id: int
    moment: datetime
    rules: PathRules
    institution: str | None = None
    thread: str = "main"
    client_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class TemplatePath:
    """Components of an expanded template.

    :param root_owned: the leading directories, which belong to root
    :param user_owned: the others, at least one
    """

    root_owned: tuple[str, ...]
    user_owned: tuple[str, ...]

    @property
    def path(self) -> PurePosixPath:
        """The whole, below the managed repository."""
        return PurePosixPath(*self.root_owned, *self.user_owned)

    @property
    def prefix(self) -> str:
        """The form in ``fileset.templateprefix``: with a slash at the end."""
        return f"{self.path}/"


@dataclass(frozen=True)
class _Disk:
    """What the expansion asks of the repository.

    :param exists: whether a relative path exists
    :param count: number of entries of a directory; 0 where it is missing
    """

    exists: Callable[[PurePosixPath], bool]
    count: Callable[[PurePosixPath], int]


def check_template(template: str) -> None:
    """Refuse a template that no import could use.

    :raises AdminError: ``template-invalid``
    """
    problem = template_problem(template)
    if problem is not None:
        raise _invalid(*problem)


def expand_template(
    template: str,
    context: TemplateContext,
    *,
    exists: Callable[[PurePosixPath], bool] = lambda _path: False,
    count: Callable[[PurePosixPath], int] = lambda _path: 0,
) -> TemplatePath:
    """Expand a template for one import; components that exist are avoided where a term can count on.

    :param template: value of ``omero.fs.repo.path``
    :param exists: whether a path relative to the repository exists
    :param count: number of entries of a directory relative to the repository
    :raises AdminError: ``template-invalid``, ``template-exhausted``
    """
    check_template(template)
    root_owned, user_owned = split_template(template)
    disk = _Disk(exists, count)
    root_part = _expand_all(root_owned, PurePosixPath(), context, disk)
    user_part = _expand_all(user_owned, PurePosixPath(*root_part), context, disk)
    if not user_part:
        raise _invalid(template, "leaves no directory to the user")
    return TemplatePath(tuple(root_part), tuple(user_part))


def expand_below(root: Path, template: str, context: TemplateContext) -> TemplatePath:
    """Expand a template against the directories of a managed repository.

    :raises AdminError: ``template-invalid``, ``template-exhausted``, ``path-escapes``
    """

    def count(path: PurePosixPath) -> int:
        try:
            return sum(1 for _ in files.inside(root, str(path)).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return 0

    return expand_template(
        template, context, exists=lambda path: os.path.lexists(files.inside(root, str(path))), count=count
    )


def _expand_all(components: list[str], parent: PurePosixPath, context: TemplateContext, disk: _Disk) -> list[str]:
    result: list[str] = []
    for component in components:
        expanded = _expand_component(component, parent.joinpath(*result), context, disk)
        for name in expanded:
            if name in (".", ".."):
                raise _invalid(component, f"expands to {name!r}, which is no directory name")
        result += [name for name in expanded if name]
    return result


def _expand_component(component: str, parent: PurePosixPath, context: TemplateContext, disk: _Disk) -> list[str]:
    counting: tuple[str, str | None] | None = None
    pieces: list[str] = []
    position = 0
    before = ""
    for match in TERM.finditer(component):
        pieces.append(component[position : match.start()])
        position = match.end()
        name, parameter = match.groups()
        if name in COUNTING_TERMS:
            counting = (name, parameter)
            before, pieces = "".join(pieces), []
            continue
        value = _EXPANSIONS[name](context, parameter)
        if value is None:
            return []
        pieces.append(value)
    pieces.append(component[position:])
    if counting is None:
        return "".join(pieces).split("/")
    return _COUNTING[counting[0]](_Frame(before, "".join(pieces), parent, disk), counting[1], context)


@dataclass(frozen=True)
class _Frame:
    """A component around a counting term."""

    before: str
    after: str
    parent: PurePosixPath
    disk: _Disk

    def names(self, middle: str) -> list[str]:
        return f"{self.before}{middle}{self.after}".split("/")

    def is_free(self, middle: str) -> bool:
        return not self.disk.exists(self.parent.joinpath(*self.names(middle)))


def _time(frame: _Frame, _parameter: str | None, context: TemplateContext) -> list[str]:
    moment = context.moment
    for _ in range(_MOST_MILLISECONDS):
        text = f"{moment:%H-%M-%S}.{moment.microsecond // 1000:03d}"
        if frame.is_free(text):
            return frame.names(text)
        moment += timedelta(milliseconds=1)
    raise _exhausted("time")


def _increment(frame: _Frame, parameter: str | None, _context: TemplateContext) -> list[str]:
    width = int(parameter or 1)
    for number in range(1, _MOST_INCREMENTS):
        text = f"{number:0{width}d}"
        if frame.is_free(text):
            return frame.names(text)
    raise _exhausted("increment")


def _subdirs(frame: _Frame, parameter: str | None, _context: TemplateContext) -> list[str]:
    digits = int(parameter or 3)
    limit = 10**digits
    if frame.disk.count(frame.parent) < limit:
        return []
    for level in range(1, _MOST_LEVELS + 1):
        number = _last_used(frame, digits, level)
        if frame.disk.count(frame.parent.joinpath(*_numbered(frame, digits, level, number))) < limit:
            return _numbered(frame, digits, level, number)
        if number + 1 < limit**level:
            return _numbered(frame, digits, level, number + 1)
    raise _exhausted("subdirs")


def _last_used(frame: _Frame, digits: int, level: int) -> int:
    """The highest existing number, found by halving, because numbers are used in their order."""
    low, high = 0, 10 ** (digits * level) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if frame.disk.exists(frame.parent.joinpath(*_numbered(frame, digits, level, middle))):
            low = middle
        else:
            high = middle - 1
    return low


def _numbered(frame: _Frame, digits: int, level: int, number: int) -> list[str]:
    text = f"{number:0{digits * level}d}"
    groups = [text[at : at + digits] for at in range(0, len(text), digits)]
    return [*frame.names(groups[0]), *groups[1:]]


def _hash(context: TemplateContext, parameter: str | None) -> str:
    names = "\0".join(context.client_paths).encode("utf-8", "surrogateescape")
    digest = f"{zlib.crc32(names):08X}"
    if parameter is None:
        return digest
    parts: list[str] = []
    for length in map(int, parameter.split(",")):
        parts.append(digest[:length])
        digest = digest[length:]
    return "/".join(parts)


def _institution(context: TemplateContext, parameter: str | None) -> str | None:
    text = (context.institution or "").strip() or (parameter or "").strip()
    return safe_name(text, context.rules) if text else None


_EXPANSIONS: dict[str, Callable[[TemplateContext, str | None], str | None]] = {
    "user": lambda context, _: safe_name(context.user, context.rules),
    "userId": lambda context, _: str(context.user_id),
    "group": lambda context, _: safe_name(context.group, context.rules),
    "groupId": lambda context, _: str(context.group_id),
    "perms": lambda context, _: safe_name(context.permissions, context.rules),
    "institution": _institution,
    "year": lambda context, _: str(context.moment.year),
    "month": lambda context, _: f"{context.moment.month:02d}",
    "monthname": lambda context, _: calendar.month_name[context.moment.month],
    "day": lambda context, _: f"{context.moment.day:02d}",
    "session": lambda context, _: safe_name(context.session, context.rules),
    "sessionId": lambda context, _: str(context.session_id),
    "thread": lambda context, _: safe_name(context.thread, context.rules),
    "hash": _hash,
}
_COUNTING: dict[str, Callable[[_Frame, str | None, TemplateContext], list[str]]] = {
    "time": _time,
    "increment": _increment,
    "subdirs": _subdirs,
}


def _invalid(template: str, why: str) -> AdminError:
    return configuration_error(
        "template-invalid",
        f"omero.fs.repo.path: {template} {why}",
        "the default is omero config set omero.fs.repo.path '%user%_%userId%//%year%-%month%/%day%/%time%'",
    )


def _exhausted(term: str) -> AdminError:
    return configuration_error(
        "template-exhausted",
        f"omero.fs.repo.path: %{term}% finds no directory that isn't used",
        "add another term, such as %hash%, to the template: omero config set omero.fs.repo.path TEMPLATE",
    )
