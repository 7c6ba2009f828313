"""``omero backup create``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_options import EncryptTo, PassphraseFile, Target
from omeroadmin.cli.context import require_instance
from omeroadmin.cli.views import backups as view
from omeroadmin.errors import ExitStatus


def command(
    target: Target = None,
    tag: Annotated[str, typer.Option("--tag", help="Your own words for the list.")] = "",
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Connections that dump, threads that read.")] = 2,
    certificates: Annotated[
        bool, typer.Option("--certificates/--no-certificates", help="Whether private keys are saved as well.")
    ] = True,
    encrypt_to: EncryptTo = None,
    passphrase_file: PassphraseFile = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Take a snapshot of the instance, running or stopped.

    It holds database, binary repository and configuration.

    Files that the previous snapshot has are not copied again. If a file that the database names is missing or differs,
    the snapshot is marked inconsistent, the file is named, and the exit status is 5.

    Example: omero backup create --target /backup/omero --tag before-upgrade
    """
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.workflows.backup import BackupWish, create_backup

    instance = require_instance()
    wish = BackupWish(
        instance,
        load_settings(instance),
        target,
        tag,
        jobs,
        certificates,
        encrypt_to=tuple(encrypt_to or ()),
        passphrase_file=passphrase_file,
    )
    snapshot = create_backup(wish)
    view.show_created(snapshot, as_json=as_json, quiet=quiet)
    if not snapshot.consistent:
        raise typer.Exit(ExitStatus.FAILED)
