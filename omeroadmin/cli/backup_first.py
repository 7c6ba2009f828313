"""The option --backup of commands whose work can't be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from omeroadmin.schema.instance import Instance

Backup = Annotated[
    bool,
    typer.Option("--backup", help="Take a snapshot first [omero.backup.target]; if that fails, nothing is changed."),
]


def back_up(instance: Instance, step: str) -> None:
    """Take a snapshot, and say on stderr which.

    :param step: what comes next, ``db upgrade``
    :raises AdminError: as :func:`omeroadmin.workflows.backup_first.back_up_before`
    """
    from omeroadmin.cli.output import say
    from omeroadmin.cli.views.backup_progress import backup_progress
    from omeroadmin.workflows.backup_first import back_up_before

    with backup_progress(quiet=False) as progress:
        snapshot = back_up_before(instance, step, progress)
    say(f"Snapshot {snapshot.id} was taken before {step}.")
