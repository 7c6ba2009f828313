"""Checks of the database for people."""

from __future__ import annotations

from omeroadmin.database.check import DatabaseCheck
from omeroadmin.errors import printable


def check_lines(check: DatabaseCheck) -> list[str]:
    """A line for each check, and what to do where one failed."""
    lines = [f"Database {check.database}"]
    for finding in check.findings:
        lines.append(f"  {finding.status:4}  {finding.name:11}  {printable(finding.evidence)}")
        if finding.hint:
            lines.append(f"        {'':11}  {printable(finding.hint)}")
    return lines
