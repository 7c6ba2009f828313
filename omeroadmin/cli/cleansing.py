"""The three things that ``omero admin cleanse`` does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from omeroadmin.cli.confirm import agree_to
from omeroadmin.cli.output import say
from omeroadmin.cli.views import cleanse as view

if TYPE_CHECKING:
    from omeroadmin.cli.session import Connection
    from omeroadmin.repository.orphans.findings import Problem
    from omeroadmin.workflows.cleanse import CleanseWish
    from omeroadmin.workflows.cleanse_find import Findings


class Teller:
    """Progress on a terminal."""

    def say(self, line: str) -> None:
        """Say it in any case."""
        say(line)

    def progress(self, line: str) -> None:
        """One line that the next one replaces."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{line}")
            sys.stderr.flush()


def cleanse(wish: CleanseWish, connection: Connection | None, *, verbose: bool, yes: bool, as_json: bool) -> bool:
    """Find, ask and move.

    :param connection: to the server that deletes filesets without images; ``None``: they are only reported
    :return: whether everything could be judged and moved
    """
    from omeroadmin.workflows.cleanse import cleansing

    with cleansing(wish, Teller()) as run:
        findings = run.find()
        if not wish.may_write:
            view.show_found(findings, as_json=as_json, verbose=verbose)
            return not findings.problems.count
        deletes = connection is not None and bool(findings.filesets)
        if findings.count or deletes:
            lines = view.found_lines(findings, verbose=verbose and not as_json)
            agree_to(lines, yes=yes, destructive=wish.delete or deletes)
        removed, problems = _remove_filesets(connection, findings) if deletes else (0, [])
        outcome = run.carry_out(findings)
        outcome.filesets = removed
        for problem in problems:
            outcome.problems.add(problem)
        view.show_done(findings, outcome, as_json=as_json, verbose=verbose, delete=wish.delete)
        return not findings.problems.count + outcome.problems.count


def _remove_filesets(connection: Connection | None, findings: Findings) -> tuple[int, list[Problem]]:
    from omeroadmin.workflows.empty_filesets import remove_filesets

    if connection is None:
        return 0, []
    with connection.open() as (client, _):
        return remove_filesets(client, findings.filesets)


def put_back(wish: CleanseWish, quarantine_id: str, *, as_json: bool) -> bool:
    """Restore a quarantine.

    :return: whether everything is back
    """
    from omeroadmin.workflows.cleanse import restore_quarantine

    outcome = restore_quarantine(wish, quarantine_id)
    view.show_quarantines([outcome], verb="put back", as_json=as_json)
    return not outcome.problems.count


def purge_all(wish: CleanseWish, quarantine_id: str, *, yes: bool, as_json: bool) -> bool:
    """Remove quarantines for good."""
    from omeroadmin.workflows.cleanse import purge_quarantines

    what = f"quarantine {quarantine_id}" if quarantine_id else f"all quarantines older than {wish.min_age:.0f} s"
    agree_to([f"Remove {what} for good"], yes=yes, destructive=True)
    view.show_quarantines(purge_quarantines(wish, quarantine_id), verb="removed", as_json=as_json)
    return True
