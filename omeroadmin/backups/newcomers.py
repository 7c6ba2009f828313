"""Leaves out files of ids that the dump doesn't know as yet.

Files below ``Pixels``, ``Files`` and ``Thumbnails`` are found by the id of their row. One that came after the dump
would lie in wait in a restored server, which gives the same id away again: the pyramid of one image, shown for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from omeroadmin.backups.scan import Found

_NAME = re.compile(r"\.?([0-9]{1,19})(?:_pyramid.*)?")


def without_newcomers(found: Iterable[list[Found]], highest: Mapping[str, int]) -> Iterator[list[Found]]:
    """All that is found but files of later ids than the dump has.

    :param found: files of the same directory together
    :param highest: the highest id that the dump has, by the directory with the files that are named by such ids
    """
    prefixes = tuple(highest)
    for together in found:
        if together and together[0].path.startswith(prefixes):
            yield [item for item in together if not is_newcomer(item.path, highest)]
        else:
            yield together


def is_newcomer(path: str, highest: Mapping[str, int]) -> bool:
    """Whether a file is of a later id than there is.

    :param highest: the highest id by the directory with the files that are named by such ids
    """
    match = _NAME.fullmatch(path.rpartition("/")[2])
    if match is None:
        return False
    return any(path.startswith(prefix) and int(match[1]) > number for prefix, number in highest.items())
