"""The program's entry: what can be answered without Typer is answered before Typer is imported.

``import typer`` alone costs several times the start of Python, and cron jobs and configuration management call
the plain reads thousands of times.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

_SHOW = "--show-password"


def main() -> None:
    """``omero`` on the command line."""
    sys.exit(run(sys.argv[1:]))


def main_admin() -> None:
    """``omero-admin start`` is ``omero admin start``."""
    sys.exit(run(["admin", *sys.argv[1:]]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit status."""
    answer = _quick_answer(list(arguments))
    if answer is None:
        from omeroadmin.cli.main import run as run_typer

        return run_typer(arguments)
    from omeroadmin.cli.boundary import guard

    def write() -> int:
        sys.stdout.writelines(f"{line}\n" for line in answer())
        return 0

    return guard(write)


def _quick_answer(arguments: list[str]) -> Callable[[], list[str]] | None:
    """How to get the lines of a plain read; ``None`` for whatever Typer has to look at."""
    match arguments:
        case ["version"]:
            return _version
        case ["config", "def"]:
            return _profile
        case ["config", "path"]:
            return _path
        case ["config", "get", *rest] if all(word and (word[0] != "-" or word == _SHOW) for word in rest):
            return lambda: _properties([word for word in rest if word != _SHOW], _SHOW in rest)
    return None


def _version() -> list[str]:
    from omeroadmin.version import VERSION

    return [VERSION]


def _path() -> list[str]:
    from omeroadmin.cli.context import config_file

    return [str(config_file())]


def _profile() -> list[str]:
    from omeroadmin.cli.context import config_file
    from omeroadmin.profiles.reader import read_profile

    return [read_profile(config_file()).name]


def _properties(names: list[str], show_secrets: bool) -> list[str]:
    from omeroadmin.cli.context import config_file
    from omeroadmin.cli.views.properties import property_lines
    from omeroadmin.profiles.reader import read_profile

    return property_lines(read_profile(config_file()), names, show_secrets=show_secrets)
