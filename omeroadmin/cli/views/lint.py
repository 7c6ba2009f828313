"""Findings for people: by severity, what is wrong first, and the command that mends it in a line of its own."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from omeroadmin.cli.output import to_data
from omeroadmin.errors import printable
from omeroadmin.profiles.lint.model import Finding, LintReport, Severity

_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.ADVICE: "1;36"}
_PLURALS = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.ADVICE: "pieces of advice"}
_SINGULARS = {Severity.ADVICE: "piece of advice"}
_NARROWEST, _WIDEST = 40, 100


def lint_lines(report: LintReport, *, width: int = _WIDEST, colour: bool = False) -> list[str]:
    """All findings, those of a rule together, and how many there are.

    :param width: of the terminal; commands and names of files aren't broken, however long
    """
    width = min(max(width, _NARROWEST), _WIDEST)
    lines: list[str] = []
    for severity, of_severity in groupby(report.findings, key=lambda finding: finding.severity):
        for code, of_code in groupby(of_severity, key=lambda finding: finding.code):
            lines += [*_rule_lines(severity, code, list(of_code), width, colour), ""]
    return [*lines, printable(summary(report))]


def _rule_lines(severity: Severity, code: str, found: list[Finding], width: int, colour: bool) -> Iterator[str]:
    word = f"\x1b[{_COLOURS[severity]}m{severity.upper()}\x1b[0m" if colour else severity.upper()
    yield f"{word} {code}"
    for finding in found:
        yield from _wrapped(finding.problem, width, "  ", "  ")
        yield f"    $ {printable(finding.command)}"
    yield from _wrapped(found[0].reason, width, "  Why: ", "       ")


def summary(report: LintReport) -> str:
    """How many findings there are, and where."""
    counts = [(severity, report.count(severity)) for severity in Severity]
    words = ", ".join(f"{number} {_noun(severity, number)}" for severity, number in counts if number)
    return f"{words or 'No findings'}: profile {report.profile} of {report.config_xml}"


def lint_document(report: LintReport) -> dict[str, Any]:
    """The report for ``--json``."""
    document: dict[str, Any] = to_data(report)
    return {**document, "counts": {severity.value: report.count(severity) for severity in Severity}}


def _noun(severity: Severity, number: int) -> str:
    return _SINGULARS.get(severity, severity.value) if number == 1 else _PLURALS[severity]


def _wrapped(text: str, width: int, first: str, others: str) -> list[str]:
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
