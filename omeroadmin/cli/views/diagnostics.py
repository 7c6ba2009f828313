"""A diagnosis as OMERO prints it, line for line, so that people and scripts find what they know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omeroadmin.cli.output import to_data
from omeroadmin.errors import printable
from omeroadmin.workflows.checks.model import Category, Diagnosis

_RULE = "=" * 80


def diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    """The whole output: banner, categories, and what is wrong."""
    lines = ["", _RULE, "OMERO Diagnostics (admin)", _RULE, ""]
    for category in diagnosis.categories:
        block = list(_category_lines(category))
        lines += [*block, ""] if block else []
    problems = diagnosis.problems
    for category, item in problems:
        lines.append(_line("Problems", f"{category.title} {item.name}", f"{item.status.upper()}: {item.evidence}"))
        if item.hint:
            lines.append(f"  -> {item.hint}")
    if not problems:
        lines.append(_line("Problems", "none", ""))
    return [printable(line.rstrip()) for line in lines]


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis for ``--json``."""
    document: dict[str, Any] = to_data(diagnosis)
    return {**document, "errors": diagnosis.has_errors}


def _category_lines(category: Category) -> Iterator[str]:
    for item in category.items:
        match category.id:
            case "environment":
                yield _line(category.title, item.evidence, "")
            case "directories":
                yield f"OMERO {item.name} dir: {item.evidence}"
            case _:
                yield _line(category.title, item.name, item.evidence)


def _line(title: str, name: str, evidence: str) -> str:
    start = f"{title + ':':<12}"
    # OMERO's own "Environment:" fills its column to the last place and has no gap behind it.
    gap = " " if len(start) >= 12 and not start.endswith(" ") and title != "Environment" else ""
    return f"{start}{gap}{name:<30} {evidence}"
