"""Texts of configuration files with a line or a marked block as wished: pure, for plan and apply alike."""

from __future__ import annotations

import re

from omeroadmin.provisioning.agent.change import HostError


def with_line(text: str, line: str, match: str = "", after: str = "", before: str = "") -> str:
    """A text that has a line.

    The last line that ``match`` finds is replaced, unless the wished line is there and ``match`` doesn't find it: then
    it has been replaced already. Other copies of the wished line go, where there is a ``match``.

    :param line: without its end
    :param match: regular expression of the line to replace; without it, a line that is there is left alone
    :param after: regular expression; a new line comes after the last line that it finds
    :param before: regular expression; a new line comes before the first line that it finds; else it comes last
    """
    lines = _lines(text)
    copies = [number for number, present in enumerate(lines) if present == line]
    if copies and not match:
        return text
    hits = [number for number, present in enumerate(lines) if match and re.search(match, present)]
    if copies and not re.search(match, line):
        place = copies[-1]
    elif hits:
        place = hits[-1]
    elif copies:
        place = copies[-1]
    else:
        place = _place(lines, after, before)
        return _joined([*lines[:place], line, *lines[place:]])
    kept = [
        line if number == place else present
        for number, present in enumerate(lines)
        if number == place or present != line
    ]
    return text if kept == lines else _joined(kept)


def without_line(text: str, line: str, match: str = "") -> str:
    """A text without the lines that ``match`` finds, and without ``line`` where there is one."""
    lines = _lines(text)
    kept = [present for present in lines if not ((line and present == line) or (match and re.search(match, present)))]
    return text if kept == lines else _joined(kept)


def markers(name: str, comment: str) -> tuple[str, str]:
    """First and last line of a block."""
    return f"{comment} BEGIN omero {name}", f"{comment} END omero {name}"


def with_block(text: str, name: str, content: str, comment: str = "#", after: str = "", before: str = "") -> str:
    """A text that has a marked block once, with this content.

    :param content: lines of the block
    :param after: regular expression; a new block comes after the last line that it finds
    :param before: regular expression; a new block comes before the first line that it finds; else it comes last
    :raises HostError: ``host-block-damaged``, ``host-block-invalid``
    """
    begin, end = markers(name, comment)
    inner = _lines(content)
    if any(line.strip() in (begin, end) for line in inner):
        raise HostError("host-block-invalid", f"the content of block {name} has its marker in it")
    lines = _lines(text)
    blocks = _blocks(lines, name, comment)
    place = blocks[0][0] if blocks else _place(lines, after, before)
    return _replaced(text, lines, blocks, place, [begin, *inner, end])


def without_block(text: str, name: str, comment: str = "#") -> str:
    """A text without a marked block.

    :raises HostError: ``host-block-damaged``
    """
    lines = _lines(text)
    blocks = _blocks(lines, name, comment)
    return _replaced(text, lines, blocks, 0, [])


def _replaced(text: str, lines: list[str], blocks: list[tuple[int, int]], place: int, new: list[str]) -> str:
    within = {number for first, last in blocks for number in range(first, last + 1)}
    head = [line for number, line in enumerate(lines[:place]) if number not in within]
    tail = [line for number, line in enumerate(lines[place:], start=place) if number not in within]
    kept = [*head, *new, *tail]
    return text if kept == lines else _joined(kept)


def _blocks(lines: list[str], name: str, comment: str) -> list[tuple[int, int]]:
    """First and last line number of each block; a marker without its partner could hide what isn't ours."""
    begin, end = markers(name, comment)
    found: list[tuple[int, int]] = []
    first = -1
    for number, line in enumerate(lines):
        word = line.strip()
        if word not in (begin, end):
            continue
        if (word == begin) != (first < 0):
            raise _damaged(name, number)
        if word == end:
            found.append((first, number))
        first = number if word == begin else -1
    if first >= 0:
        raise _damaged(name, first)
    return found


def _damaged(name: str, number: int) -> HostError:
    return HostError(
        "host-block-damaged", f"line {number + 1}: a marker of block {name} has no partner", "remove or mend the marker"
    )


def _place(lines: list[str], after: str, before: str) -> int:
    if after:
        hits = [number for number, line in enumerate(lines) if re.search(after, line)]
        if hits:
            return hits[-1] + 1
    if before:
        return next((number for number, line in enumerate(lines) if re.search(before, line)), len(lines))
    return len(lines)


def _lines(text: str) -> list[str]:
    """Lines without their ends. Only a line feed ends one: other files have other ideas of lines."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
