"""Objects: their properties as lines and rows."""

from __future__ import annotations

from typing import Any

from omeroadmin.errors import printable
from omeroadmin.workflows.objects import flattened, value_text

FIELD_COLUMNS = ("field", "value")


def field_lines(document: dict[str, Any]) -> list[str]:
    """``field=value`` each; a value's line ends are written as ``\\n``."""
    return [f"{name}={printable(value_text(value))}" for name, value in flattened(document).items()]


def field_rows(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows of the columns :data:`FIELD_COLUMNS`."""
    return [(name, value_text(value)) for name, value in flattened(document).items()]
