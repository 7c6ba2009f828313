"""Shows how much room data takes, in OMERO's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from omeroadmin.cli.output import Style, print_json, print_lines
from omeroadmin.cli.views.files import size_text
from omeroadmin.cli.views.rows import Column, print_rows
from omeroadmin.workflows.usage import Usage, summed

_POWERS = {unit: exponent for exponent, unit in enumerate("KMGTP", 1)}


def print_total(found: Usage, units: str, *, human: bool) -> None:
    """One line.

    :param units: ``K``, ``M``, ``G``, ``T``, ``P``, or empty for bytes
    :param human: whether the unit is chosen to fit
    """
    size = f"{found.size} bytes"
    if units:
        size = f"{_in_units(found.size, units)} {units}iB"
    elif human:
        size = size_text(found.size)
    print_lines(f"Total disk usage: {size} in {found.files} files")


def print_report(
    found: Usage, by: Sequence[str], sort_by: Sequence[str], style: Style, units: str, *, human: bool, reverse: bool
) -> None:
    """A row for each part."""

    def shown(item: dict[str, Any]) -> Any:
        return _in_units(item["size"], units) if units else size_text(item["size"]) if human else item["size"]

    title = f"size ({units}iB)" if units else "size" if human else "size (bytes)"
    columns = (
        *(Column(name, lambda item, name=name: item[name]) for name in by),  # type: ignore[misc]
        Column(title, shown, right=True),
        Column("files", lambda item: item["files"], right=True),
    )
    print_rows("usage", columns, summed(found, by, sort_by, reverse=reverse), style, numbered=False)


def print_document(found: Usage) -> None:
    """All that is known, as JSON."""
    print_json("usage", {"size": found.size, "files": found.files, "parts": found.parts})


def _in_units(size: int, units: str) -> float:
    return float(round(size / 1024 ** _POWERS[units], 1))
