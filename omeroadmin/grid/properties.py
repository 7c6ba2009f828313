"""Ice's configuration files: how names and values of properties are written so that they are read as they were."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LINE_END = re.compile(r"\r\n|\r|\n")


def one_line(value: str) -> str:
    """A value without line ends: a property is one line.

    JSON, the only kind of value that may have several lines, means the same on one.
    """
    return _LINE_END.sub(" ", value)


def properties_text(properties: Iterable[tuple[str, str]]) -> str:
    """``name=value`` lines that Ice's own programs would read right, too."""
    return "".join(f"{_escape(name, '#= ')}={_escape_value(one_line(value))}\n" for name, value in properties)


def _escape_value(value: str) -> str:
    inner = value.strip(" ")
    if not inner:
        return "\\ " * len(value)
    start = value.index(inner)
    end = len(value) - start - len(inner)
    return "\\ " * start + _escape(inner, "#") + "\\ " * end


def _escape(text: str, special: str) -> str:
    return re.sub(rf"([\\{special}])", r"\\\1", text)
