"""The program's entry: what can be done without Typer is done before Typer is imported.

``import typer`` alone costs several times the start of Python, and cron jobs and configuration management call the
plain reads and `config set` thousands of times. For the same reason no read imports pathlib, dataclasses, typing or
enum.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
"""Known to type checkers without typing."""

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from omeroadmin.profiles.reader import Profile

_SHOW = "--show-password"
_HIDE = "--hide-password"
_REPORT = "--report"


def main() -> None:
    """``omero`` on the command line; a link to it called ``omero-admin`` is ``omero admin``."""
    sys.exit(run([*_words_of_name(os.path.basename(sys.argv[0])), *sys.argv[1:]]))


def _words_of_name(name: str) -> list[str]:
    """What the name by which the program was called says already."""
    first, *rest = name.split("-")
    if first != "omero" or not rest:
        return []
    from omeroadmin.cli.registry import ORDER

    return rest if rest[0] in ORDER else []


def main_admin() -> None:
    """``omero-admin start`` is ``omero admin start``."""
    sys.exit(run(["admin", *sys.argv[1:]]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit status."""
    words = list(arguments)
    answer = _quick_answer(words)
    action = _quick_action(words) if answer is None else lambda: _write(answer())
    if action is None:
        from omeroadmin.cli.main import run as run_typer

        return run_typer(arguments)
    from omeroadmin.cli.boundary import guard

    return guard(action)


def _write(lines: list[str]) -> int:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _quick_answer(arguments: list[str]) -> Callable[[], list[str]] | None:
    """How to get the lines of a plain read; ``None`` for whatever Typer has to look at."""
    match arguments:
        case ["version" | "--version"]:
            return _version
        case ["config", "path"]:
            return lambda: [_config_xml()]
        case ["config", "def"]:
            return lambda: [_profile().name]
        case ["config", "version"]:
            return lambda: [_profile().version]
        case ["config", "keys"]:
            return lambda: sorted(_profile().values)
        case ["config", "all"]:
            return _names
        case ["config", "get", *rest] if all(word and (word[0] != "-" or word in (_SHOW, _HIDE)) for word in rest):
            return lambda: _properties(rest)
    return None


def _quick_action(arguments: list[str]) -> Callable[[], int] | None:
    """How to make a plain change; ``None`` for whatever Typer has to look at."""
    match arguments:
        case ["config", "set", *rest]:
            words = [word for word in rest if word != _REPORT]
            if 1 <= len(words) <= 2 and all(word[:1] != "-" for word in words):
                return lambda: _assign(words, report=_REPORT in rest)
    return None


def _assign(words: list[str], *, report: bool) -> int:
    from omeroadmin.cli.assignment import assign
    from omeroadmin.cli.boundary import with_warnings

    def action() -> int:
        assign(words[0], words[1] if len(words) == 2 else None, report=report)
        return 0

    return with_warnings(action)


def _config_xml() -> str:
    directory = os.environ.get("OMERODIR", "")
    if os.path.isdir(directory):
        return os.path.join(os.path.realpath(directory), "etc", "grid", "config.xml")
    from omeroadmin.cli.context import config_file

    # Says what is wrong with OMERODIR.
    return str(config_file())


def _version() -> list[str]:
    from omeroadmin.version import VERSION

    return [VERSION]


def _profile() -> Profile:
    from omeroadmin.profiles.reader import read_profile

    return read_profile(_config_xml())


def _names() -> list[str]:
    from omeroadmin.profiles.reader import read_content

    return read_content(_config_xml()).names()


def _properties(words: list[str]) -> list[str]:
    from omeroadmin.cli.views.properties import property_lines

    # As with Typer, the last of contradicting options wins.
    options = [word for word in words if word in (_SHOW, _HIDE)]
    names = [word for word in words if word not in options]
    return property_lines(_profile(), names, show_secrets=options[-1:] == [_SHOW])
