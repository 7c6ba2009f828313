"""The language of icegridadmin: commands of words, separated by semicolons, with quotes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_SEPARATOR = ";"


class SyntaxProblem(Exception):  # noqa: N818 - said to whoever typed it, not to a programmer
    """A line that can't be read.

    :param reason: what is wrong with it
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Reply:
    """What a command answers.

    :param text: lines of the answer, or the error without its word ``error:``
    :param ok: whether the command was carried out
    :param leave: whether the session is over
    """

    text: str = ""
    ok: bool = True
    leave: bool = False

    @property
    def error(self) -> str:
        """The failure as icegridadmin words it."""
        return f"error: {self.text}"


@dataclass(frozen=True)
class Usage:
    """A command and what it takes.

    :param words: ``server state``
    :param parameters: ``ID``
    :param help: lines of the help
    """

    words: str
    parameters: tuple[str, ...]
    help: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """The help in two columns."""
        title = " ".join((self.words, *self.parameters))
        if len(title) < _COLUMN:
            yield f"{title:{_COLUMN}}{self.help[0]}"
        else:
            yield title
            yield f"{'':{_COLUMN}}{self.help[0]}"
        for line in self.help[1:]:
            yield f"{'':{_COLUMN}}{line}"

    def complaint(self) -> str:
        """What to say where there are more or fewer arguments."""
        match len(self.parameters):
            case 0:
                wanted = "doesn't require any argument"
            case 1:
                wanted = "requires exactly one argument"
            case _:
                wanted = "requires exactly two arguments"
        return f"`{self.words}' {wanted}\n(`{self.words} help' for more info)"


_COLUMN = 26


def split_commands(line: str) -> list[list[str]]:
    """The commands of a line, as words.

    :raises SyntaxProblem: where a quote is not closed
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=_SEPARATOR)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    commands: list[list[str]] = [[]]
    try:
        for word in lexer:
            if set(word) == {_SEPARATOR}:
                commands.append([])
            else:
                commands[-1].append(word)
    except ValueError as error:
        raise SyntaxProblem(f"syntax error: {str(error).lower()}") from error
    return [words for words in commands if words]
