"""``omero backup create``."""

from __future__ import annotations

from typing import Annotated

import typer

from omeroadmin.cli.backup_options import (
    Certificates,
    EncryptTo,
    Json,
    Limit,
    NewTarget,
    Nice,
    OnFailure,
    OnSuccess,
    PassphraseFile,
    Quiet,
    Target,
)
from omeroadmin.cli.context import require_instance
from omeroadmin.cli.physical_options import Physical, PhysicalKind, wanted_kind
from omeroadmin.cli.views import backups as view
from omeroadmin.errors import ExitStatus


def command(
    target: Target = None,
    tag: Annotated[str, typer.Option("--tag", help="Your own words for the list.")] = "",
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Connections that dump, processes that copy.")] = 2,
    certificates: Certificates = True,
    encrypt_to: EncryptTo = None,
    passphrase_file: PassphraseFile = None,
    physical: Physical = False,
    physical_type: PhysicalKind = None,
    new_target: NewTarget = False,
    limit: Limit = 0,
    nice: Nice = False,
    on_success: OnSuccess = None,
    on_failure: OnFailure = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Take a snapshot of the instance, running or stopped.

    It holds database, binary repository and configuration. The server goes on meanwhile; files of what is deleted
    stay until the end. Files that the previous snapshot has are not copied again.

    Every file that the database names is looked for. If one is missing or differs, the snapshot is marked
    inconsistent, the file is named, and the exit status is 5. If another backup is at it, the status is 6. A target
    that had snapshots of this instance and is empty now is refused (3): its disk may not be mounted.

    For cron add --quiet and --nice: then nothing is printed if all is well. Let omero backup verify follow, and omero
    backup prune for old snapshots.

    Example: omero backup create --target /backup/omero --tag before-upgrade
    """
    from omeroadmin.cli.views.backup_progress import backup_progress
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.workflows.backup import BackupWish
    from omeroadmin.workflows.backup_hooks import backup_with_hooks, hooks_of

    instance = require_instance()
    settings = load_settings(instance)
    wish = BackupWish(
        *(instance, settings, target, tag, jobs, certificates),
        encrypt_to=tuple(encrypt_to or ()),
        passphrase_file=passphrase_file,
        physical=wanted_kind(physical, physical_type),
        limit=round(limit * 1_000_000),
        gentle=nice,
        new_target=new_target,
    )
    hooks = hooks_of(settings, on_success, on_failure)
    with backup_progress(quiet=quiet) as progress:
        snapshot = backup_with_hooks(wish, hooks, progress)
    view.show_created(snapshot, as_json=as_json, quiet=quiet)
    if not snapshot.consistent:
        raise typer.Exit(ExitStatus.FAILED)
