"""Nothing in the repository refers to anything outside it, to one machine, or to how it was written."""

from __future__ import annotations

import re

from tests.support.checkout import ROOT, files

# In two halves, so that this file itself passes.
FORBIDDEN = {
    "a folder of somebody's notes": r"\.\./sha" + r"red\b|\bsha" + r"red/(?:facts|design|manual)",
    "notes by section": r"\bfacts (?:sect" + r"ion|§)|\bfacts/",
    "a library of one machine": r"\.lib" + r"rary\b",
    "a path of one machine": r"(?<![\w.~-])/(?:wo" + r"rk/|opt/d" + r"ev\b|home/(?!omero\b|omero-\w+\b|USER\b)\w)",
    "an issue's number": r"\bissu" + r"e #?\d+\b",
    "a promise": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|\braise NotImpl" + r"ementedError\b",
}
LARGEST_TEXT = 2_000_000


def test_nothing_points_outside() -> None:
    found = []
    looked_at = 0
    for path in files():
        content = path.read_bytes()
        if b"\0" in content or len(content) > LARGEST_TEXT:
            continue
        looked_at += 1
        for number, line in enumerate(content.decode("utf-8").splitlines(), start=1):
            found += [
                f"{path.relative_to(ROOT)}:{number}: {what}: {line.strip()[:100]}"
                for what, pattern in FORBIDDEN.items()
                if re.search(pattern, line)
            ]
    assert looked_at > 100
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    for what, line in {
        "a folder of somebody's notes": "see ../sha" + "red/x.md",
        "notes by section": "as in facts sect" + "ion 2",
        "a path of one machine": 'Path("/wo' + 'rk/main")',
        "an issue's number": "fixes issu" + "e 12",
        "a promise": "# TO" + "DO: later",
    }.items():
        assert re.search(FORBIDDEN[what], line), what


def test_links_stay_inside() -> None:
    outside = [
        str(path.relative_to(ROOT)) for path in files() if path.is_symlink() and ROOT not in path.resolve().parents
    ]
    assert outside == []
