"""Files of commands, one in each line, as startup scripts and roles for OMERO write them."""

from __future__ import annotations

import glob
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from omeroadmin.errors import AdminError, usage_error

_SELF = "load"
_INSTANCE = ("omero", "omero-admin")


@dataclass(frozen=True)
class FileCommand:
    """One command of a file.

    :param words: as on the command line, without ``omero``
    :param origin: name of the file and number of the line
    """

    words: tuple[str, ...]
    origin: str

    @property
    def title(self) -> str:
        """Group and command, for messages: without arguments, which may be secret."""
        plain = [word for word in self.words[:2] if word.replace("-", "").isalpha()]
        return " ".join(plain)


def matching_files(patterns: Iterable[str]) -> list[str]:
    """All files that shell patterns stand for, sorted; each once."""
    return sorted({name for pattern in patterns for name in glob.glob(pattern)})  # noqa: PTH207 - patterns may be absolute


def parse_commands(text: str, source: str) -> list[FileCommand]:
    """Commands of a text; empty lines and what follows a ``#`` at the start of a word are left out.

    :param source: name of the text, for messages
    :raises AdminError: ``command-file-invalid`` with file and line
    """
    found = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        origin = f"{source}:{number}"
        words = _words(line, origin)
        if words:
            found.append(FileCommand(tuple(words), origin))
    return found


def _words(line: str, origin: str) -> Sequence[str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise _invalid(origin, str(error).lower(), "close the quotation; a command ends with its line") from None
    if words[:1] == [_SELF]:
        raise _invalid(origin, "a file of commands can't load others", "name all of them: omero load FILE FILE")
    if words and words[0] in _INSTANCE:
        raise _invalid(origin, f"{words[0]} stands before the command", "leave it out: config set KEY VALUE")
    return words


def _invalid(origin: str, words: str, hint: str) -> AdminError:
    return usage_error("command-file-invalid", f"{origin}: {words}", hint)
