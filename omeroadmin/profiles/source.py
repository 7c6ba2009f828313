"""Parses config.xml as input that nobody has checked: no DTD, no entities, and a failure names the line."""

from __future__ import annotations

from xml.parsers import expat

TYPE_CHECKING = False
"""Known to type checkers without typing; the quick path imports this module."""

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from omeroadmin.errors import AdminError

    StrPath = str | PathLike[str]
    START = Callable[[str, dict[str, str]], object]
    TEXT = Callable[[str], object]

_DEEPEST = 100
"""Levels of elements; OMERO's are three, and trees of many more can't be copied."""


def read_source(config_xml: StrPath) -> bytes | None:
    """Content of the file; ``None`` where there is none, or where OMERO's own tools have only just made it, empty.

    :raises AdminError: ``file-not-read``
    """
    try:
        with open(config_xml, "rb") as stream:  # noqa: PTH123 - pathlib takes longer to import than all the reading
            return stream.read() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        from pathlib import Path

        from omeroadmin.system.files import named_file_error

        raise named_file_error(Path(config_xml), error) from error


def parse(
    config_xml: StrPath,
    content: bytes,
    *,
    start: START,
    end: TEXT,
    text: TEXT | None = None,
    comment: TEXT | None = None,
    instruction: Callable[[str, str], object] | None = None,
) -> None:
    """Call the handlers for what is inside the root element, the root's start and end included.

    :param config_xml: the file's name, for the message
    :raises AdminError: ``config-unparsable``
    """
    parser = expat.ParserCreate()
    depth = 0

    def refuse_doctype(*_: object) -> None:
        raise unparsable(config_xml, parser.CurrentLineNumber, "it has a document type, which is not allowed")

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if not 0 < depth < _DEEPEST:
            _check_place(config_xml, parser.CurrentLineNumber, name, depth)
        depth += 1
        start(name, attributes)

    def on_end(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.StartElementHandler = on_start
    parser.EndElementHandler = on_end
    if text is not None:
        parser.CharacterDataHandler = text
    if comment is not None:
        parser.CommentHandler = lambda words: comment(words) if depth else None
    if instruction is not None:
        parser.ProcessingInstructionHandler = lambda target, words: instruction(target, words) if depth else None
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise unparsable(config_xml, error.lineno, expat.ErrorString(error.code)) from error
    except (LookupError, ValueError) as error:
        # Python's codecs are asked for an encoding that expat doesn't know.
        raise unparsable(config_xml, 1, str(error)) from error


def _check_place(config_xml: StrPath, line: int, name: str, depth: int) -> None:
    if depth:
        raise unparsable(config_xml, line, f"elements are nested more than {_DEEPEST} deep")
    if name != "icegrid":
        raise unparsable(config_xml, line, f"the root element is {name}, not icegrid")


def unparsable(config_xml: StrPath, line: int, reason: str) -> AdminError:
    """The error for a file that is not config.xml; nothing is ever written over it."""
    from omeroadmin.errors import configuration_error

    return configuration_error(
        "config-unparsable",
        f"{config_xml}, line {line}: {reason}",
        "correct that line or restore the file from a backup; nothing was changed",
    )
