"""Every JSON document that a command prints has its place in the reference."""

from __future__ import annotations

import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PRINTED = re.compile(r'print_(?:json|json_stream|table|rows)\(\s*"([^"]+)"')


def test_every_schema_is_in_the_reference() -> None:
    page = (CHECKOUT / "docs" / "reference" / "json.md").read_text()
    sources = (CHECKOUT / "omeroadmin" / "cli").rglob("*.py")
    printed = {name for source in sources for name in PRINTED.findall(source.read_text())}
    documented = set(re.findall(r"`omeroadmin/([a-z/-]+)/\d+`", page))
    assert len(printed) >= 10
    assert printed == documented


def test_list_columns_are_in_the_reference() -> None:
    from omeroadmin.workflows import file_lists, listing

    page = (CHECKOUT / "docs" / "reference" / "json.md").read_text()
    for columns in (
        file_lists.IMAGE_COLUMNS,
        file_lists.FILESET_COLUMNS,
        file_lists.REPOSITORY_COLUMNS,
        listing.HIT_COLUMNS,
    ):
        assert ", ".join(f"`{name}`" for name in columns) in page
