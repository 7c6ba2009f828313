"""Lets the user edit a text with the editor of their choice."""

from __future__ import annotations

import contextlib
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from omeroadmin.errors import configuration_error, failed_error
from omeroadmin.system.files import file_error, read_text, write_atomically
from omeroadmin.system.process import find_program, run_attached

_USUAL = ("vi", "nano")


def editor_command(environment: Mapping[str, str], *, on_terminal: bool) -> list[str]:
    """Program and arguments: ``$VISUAL``, else ``$EDITOR``, else what there is.

    :param on_terminal: whether there is one; without, only an editor that was chosen is started, which may be a script
    :raises AdminError: ``editor-missing``, ``editor-invalid``, ``terminal-missing``
    """
    for variable in ("VISUAL", "EDITOR"):
        text = environment.get(variable, "").strip()
        if text:
            return _split(variable, text)
    found = next((name for name in _USUAL if find_program(name) is not None), None)
    if found is not None and on_terminal:
        return [found]
    if found is not None:
        raise configuration_error(
            "terminal-missing",
            f"there is no terminal for {found}, and neither VISUAL nor EDITOR names another editor",
            "from a script: omero config apply FILE",
        )
    raise configuration_error(
        "editor-missing", f"there is no editor: neither VISUAL nor EDITOR is set, nor is {' or '.join(_USUAL)} found",
        "export EDITOR=/path/to/editor",
    )  # fmt: skip


def _split(variable: str, text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise configuration_error(
            "editor-invalid", f"{variable} is {text!r}, which is no command: {error}", f"export {variable}=vi"
        ) from error


class Draft:
    """A text in a private directory, which goes with it unless it is to be kept.

    :param file: 0600
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._kept = False

    def edit(self, command: list[str]) -> None:
        """Run the editor to its end.

        :param command: program and arguments, without the file
        :raises AdminError: ``editor-failed``, ``program-missing``
        """
        status = run_attached([*command, self.file])
        if status != 0:
            ended = f"signal {-status}" if status < 0 else f"status {status}"
            raise failed_error("editor-failed", f"{command[0]} ended with {ended}; nothing was changed")

    def text(self) -> str:
        """What the file holds now.

        :raises AdminError: ``file-not-read``
        """
        return read_text(self.file)

    def keep(self) -> Path:
        """Leave the file where it is.

        :return: its name
        """
        self._kept = True
        return self.file

    @property
    def is_kept(self) -> bool:
        """Whether the file is to stay."""
        return self._kept


@contextlib.contextmanager
def draft(text: str, name: str) -> Iterator[Draft]:
    """A text as a file that only this user can read, until the end of the block.

    :param name: of the file; its ending tells editors what it is
    :raises AdminError: ``file-not-written``
    """
    try:
        directory = Path(tempfile.mkdtemp(prefix="omero-edit-"))
    except OSError as error:
        raise file_error("written", Path(tempfile.gettempdir()), error) from error
    made = Draft(directory / name)
    try:
        with _ending_tidily():
            write_atomically(made.file, text)
            yield made
    finally:
        if not made.is_kept:
            # What editors leave beside the file, copies and swap files, goes too.
            shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def _ending_tidily() -> Iterator[None]:
    """Let a closed terminal or a shutdown end the block as Ctrl-C does, so that no secret stays behind."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGHUP, signal.SIGTERM)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
