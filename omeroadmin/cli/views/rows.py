"""Long lists on stdout, printed while they arrive: memory doesn't grow with them."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from omeroadmin.cli.output import Style, cell, print_lines, to_data

_LOOK_AHEAD = 1000
"""Rows that the widths of columns are taken from."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    :param title: OMERO's
    :param of: its value in an item
    :param right: whether it is set to the right
    """

    title: str
    of: Callable[[dict[str, Any]], Any]
    right: bool = False


def print_rows(
    name: str,
    columns: Sequence[Column],
    items: Iterable[dict[str, Any]],
    style: Style,
    *,
    numbered: bool = True,
    place: str = "",
) -> None:
    """A list in one of OMERO's styles; as JSON all that the items have.

    :param name: name of the JSON document's list and schema
    :param numbered: whether rows have numbers from 0, as OMERO's tables of ``fs`` have
    :param place: what the last line of a table says after the number of rows
    """
    if style is Style.JSON:
        _print_json(name, items)
        return
    if numbered:
        columns = (Column("#", lambda item: item["#"]), *columns)
        items = ({**item, "#": number} for number, item in enumerate(items))
    rows = ([cell(column.of(item)) for column in columns] for item in items)
    titles = [column.title for column in columns]
    if style is Style.SQL:
        _print_sql(titles, [column.right for column in columns], rows, place)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    if style is Style.CSV:
        writer.writerow(titles)
    writer.writerows(rows)


def _print_sql(titles: Sequence[str], right: Sequence[bool], rows: Iterator[list[str]], place: str) -> None:
    first = list(itertools.islice(rows, _LOOK_AHEAD))
    widths = [max(len(text) for text in column) for column in zip(titles, *first, strict=True)]

    def line(texts: Sequence[str]) -> str:
        cells = [
            text.rjust(width) if is_right else text.ljust(width)
            for text, width, is_right in zip(texts, widths, right, strict=True)
        ]
        return " " + " | ".join(cells).rstrip()

    print_lines(line(titles), "+".join("-" * (width + 2) for width in widths))
    number = 0
    for row in itertools.chain(first, rows):
        print_lines(line(row))
        number += 1
    print_lines(f"({number} row{'' if number == 1 else 's'}{place})")


def _print_json(name: str, items: Iterable[dict[str, Any]]) -> None:
    """The same document as :func:`omeroadmin.cli.output.print_json` prints, item by item."""
    schema = json.dumps(f"omeroadmin/{name}/1")
    sys.stdout.write(f'{{\n  "schema": {schema},\n  {json.dumps(name.rpartition("/")[2])}: [')
    separator = "\n"
    for item in items:
        text = json.dumps(to_data(item), indent=2, ensure_ascii=False).replace("\n", "\n    ")
        sys.stdout.write(f"{separator}    {text}")
        separator = ",\n"
    sys.stdout.write("]\n}\n" if separator == "\n" else "\n  ]\n}\n")
