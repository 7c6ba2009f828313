"""Files of ids that a dump doesn't know stay out; all others stay in."""

from __future__ import annotations

import pytest

from omeroadmin.backups.newcomers import without_newcomers
from omeroadmin.backups.scan import Found

HIGHEST = {"data/Files/": 10, "data/Pixels/": 1000, "data/Thumbnails/": 0}


@pytest.mark.parametrize(
    ("path", "stays"),
    [
        ("data/Files/10", True),
        ("data/Files/11", False),
        ("data/Files/Dir-001/", True),
        ("data/Files/Dir-001/1000", False),
        ("data/Files/readme.txt", True),
        ("data/Files/99999999999999999999999", True),
        ("data/Pixels/1000_pyramid", True),
        ("data/Pixels/Dir-001/1001_pyramid", False),
        ("data/Pixels/Dir-001/.1001_pyramid1234.tmp", False),
        ("data/Pixels/", True),
        ("data/Thumbnails/1", False),
        ("data/ManagedRepository/11", True),
        ("data/FilesOfMine/11", True),
        ("scripts/11", True),
    ],
)
def test_ids(path: str, stays: bool) -> None:
    item = Found(path, path, 1, 0, 0o644)
    assert list(without_newcomers([[item]], HIGHEST)) == [[item] if stays else []]
