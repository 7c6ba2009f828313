"""Results on stdout as tables or JSON; words on stderr."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any

from omeroadmin.cli.boundary import say

__all__ = [
    "Style",
    "cell",
    "print_json",
    "print_json_stream",
    "print_lines",
    "print_table",
    "say",
    "terminal_width",
    "to_data",
    "wants_colour",
]


class Style(StrEnum):
    """How a list is printed."""

    SQL = "sql"
    CSV = "csv"
    PLAIN = "plain"
    JSON = "json"


_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), 127)}
"""Characters that would steer a terminal, and how they are shown."""


def print_lines(*lines: str) -> None:
    """Lines of the result, on stdout."""
    for line in lines:
        sys.stdout.write(line + "\n")


def terminal_width() -> int:
    """Columns of the terminal, or of ``COLUMNS``; 100 where there is neither."""
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def wants_colour() -> bool:
    """Whether stdout is a terminal that may get colours."""
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_json(name: str, document: dict[str, Any], *, version: int = 1) -> None:
    """One JSON document with its schema, e.g. ``omeroadmin/diagnostics/1``.

    New fields may be added within a version; none is removed or changes its meaning.
    """
    json.dump({"schema": f"omeroadmin/{name}/{version}", **to_data(document)}, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_json_stream(
    name: str, document: dict[str, Any], member: str, items: Iterable[Any], *, version: int = 1
) -> None:
    """One JSON document as :func:`print_json`'s, whose last member is a list that is printed item by item.

    :param member: name of the list
    """
    head = {"schema": f"omeroadmin/{name}/{version}", **to_data(document)}
    sys.stdout.write(json.dumps(head, indent=2, ensure_ascii=False).removesuffix("\n}"))
    sys.stdout.write(f",\n  {json.dumps(member)}: [")
    separator = "\n    "
    for item in items:
        sys.stdout.write(separator + json.dumps(to_data(item), ensure_ascii=False))
        separator = ",\n    "
    sys.stdout.write("\n  ]\n}\n")


def print_table(name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], style: Style) -> None:
    """A list in one of OMERO's list styles.

    :param name: name of the JSON document's list and schema
    """
    match style:
        case Style.JSON:
            items = [dict(zip(columns, row, strict=True)) for row in rows]
            print_json(name, {name.rpartition("/")[2]: items})
        case Style.CSV | Style.PLAIN:
            import csv

            writer = csv.writer(sys.stdout, lineterminator="\n")
            if style is Style.CSV:
                writer.writerow(columns)
            writer.writerows([[cell(value) for value in row] for row in rows])
        case Style.SQL:
            _print_sql(columns, [[cell(value) for value in row] for row in rows])


def _print_sql(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(text) for text in column) for column in zip(columns, *rows, strict=True)]
    print_lines(" " + " | ".join(name.ljust(width) for name, width in zip(columns, widths, strict=True)).rstrip())
    print_lines("-+-".join("-" * width for width in widths).join(("-", "-")))
    for row in rows:
        print_lines(" " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    print_lines(f"({len(rows)} row{'' if len(rows) == 1 else 's'})")


def cell(value: Any) -> str:
    """A value in a table, as one line."""
    data = to_data(value)
    text = "" if data is None else str(data)
    return text if text.isprintable() else text.translate(_ESCAPES)


def to_data(value: Any) -> Any:
    """A result as JSON's own types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_data(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [to_data(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (Path, datetime)):
        return str(value) if isinstance(value, Path) else value.isoformat()
    return value
