"""Sessions of ``omero admin ice``: of the embedded driver's own console, or of icegridadmin."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.cli.context import user_directory
from omeroadmin.cli.output import print_lines, say
from omeroadmin.errors import AdminError

if TYPE_CHECKING:
    from omeroadmin.grid.console.console import Console
    from omeroadmin.grid.driver import GridDriver
    from omeroadmin.schema.instance import Instance

_HISTORY_LENGTH = 1000


def answer(instance: Instance, driver: GridDriver, line: str) -> bool:
    """Carry out some commands.

    :param line: commands, separated by semicolons
    :return: whether all of them succeeded
    :raises AdminError: ``node-down``, ``node-silent``, ``icegrid-missing``
    """
    console = _console(driver)
    if console is None:
        _become_icegridadmin(instance, driver, ["-e", line])
        return False
    return _run(console, line)[0]


def converse(instance: Instance, driver: GridDriver) -> bool:
    """Carry out what is typed, until the end of input.

    :return: as icegridadmin: whether all of it succeeded, or nobody sat at a terminal to see that it didn't
    :raises AdminError: ``node-down``, ``icegrid-missing``
    """
    console = _console(driver)
    if console is None:
        _become_icegridadmin(instance, driver, [])
        return False
    at_terminal = sys.stdin.isatty()
    if not driver.ping():
        # As icegridadmin, which ends at once where no registry answers; the words are the node's.
        return _run(console, "registry list")[0]
    succeeded = True
    with _line_editor() if at_terminal else contextlib.nullcontext():
        for line in _lines():
            try:
                done, leave = _run(console, line)
            except AdminError as error:
                say(f"error: {error.message}")
                done, leave = False, False
            succeeded = succeeded and done
            if leave:
                break
    return succeeded or at_terminal


def _run(console: Console, line: str) -> tuple[bool, bool]:
    """Whether all succeeded, and whether the session is over."""
    succeeded = True
    for reply in console.execute(line):
        if reply.leave:
            return succeeded, True
        if not reply.ok:
            succeeded = False
            sys.stdout.flush()
            say(reply.error)
        elif reply.text:
            print_lines(reply.text)
    return succeeded, False


def _console(driver: GridDriver) -> Console | None:
    from omeroadmin.grid.console.console import Console
    from omeroadmin.grid.drivers.embedded import EmbeddedDriver

    return Console(driver) if isinstance(driver, EmbeddedDriver) else None


def _become_icegridadmin(instance: Instance, driver: GridDriver, arguments: list[str]) -> None:
    """Go on as icegridadmin, with its own prompt, signals and exit status."""
    from omeroadmin.grid.drivers.icegrid import IceGridDriver

    if isinstance(driver, IceGridDriver):
        command = [*driver.admin_command(), *arguments]
        sys.stdout.flush()
        os.chdir(instance.omerodir)
        os.execv(command[0], command)  # noqa: S606 - an argument list, and no shell


def _lines() -> Iterator[str]:
    from omeroadmin.grid.console.console import PROMPT

    while True:
        try:
            yield input(PROMPT if sys.stdin.isatty() else "")
        except EOFError:
            if sys.stdin.isatty():
                print_lines("")
            return


@contextlib.contextmanager
def _line_editor() -> Iterator[None]:
    """Arrow keys, completion of commands, and the lines of earlier sessions."""
    try:
        import readline
    except ImportError:
        # Some builds of Python have none; lines can be typed all the same.
        yield
        return
    from omeroadmin.grid.console.console import command_words

    words = command_words()
    history = user_directory() / "ice_history"

    def complete(text: str, number: int) -> str | None:
        begun = readline.get_line_buffer()[: readline.get_endidx()].lstrip()
        matching = [f"{word[len(begun) - len(text) :]} " for word in words if word.startswith(begun)]
        return matching[number] if number < len(matching) else None

    with contextlib.suppress(OSError):
        readline.read_history_file(history)
    readline.set_history_length(_HISTORY_LENGTH)
    readline.set_completer_delims(" ")
    readline.set_completer(complete)
    readline.parse_and_bind("tab: complete")
    try:
        yield
    finally:
        _write_history(history)


def _write_history(history: Path) -> None:
    import readline

    # A session without a history is better than none.
    with contextlib.suppress(OSError):
        history.parent.mkdir(parents=True, exist_ok=True)
        history.touch(mode=0o600)
        readline.write_history_file(history)
