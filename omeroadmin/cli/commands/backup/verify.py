"""``omero backup verify``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from omeroadmin.cli.backup_options import IdentityFiles, PassphraseFile, Target
from omeroadmin.cli.context import require_instance
from omeroadmin.cli.views import backups as view
from omeroadmin.errors import ExitStatus


def command(
    snapshot: Annotated[
        str, typer.Argument(metavar="[ID]", help="The snapshot: its id, the beginning of it, or latest.")
    ] = "latest",
    target: Target = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Threads that read.")] = 2,
    identity_file: IdentityFiles = None,
    passphrase_file: PassphraseFile = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Prove a snapshot.

    All of it is read, its dump restored into a throwaway database, and the two are reconciled.

    Without a key, a sealed dump is compared with its checksums, and not restored.

    Each fault is named with the file in the repository and the file in the target, and the exit status is 5.

    Example: omero backup verify --target /backup/omero
    """
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.schema.settings import Settings
    from omeroadmin.workflows.backup_keys import keys_for
    from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup

    instance = require_instance() if target is None or os.environ.get("OMERODIR") else None
    settings = None if instance is None else load_settings(instance)
    keys = keys_for(settings, identity_file or (), passphrase_file)
    wish = VerifyWish(target, settings or Settings({}), snapshot, jobs, instance=instance, keys=keys)
    verified = verify_backup(wish)
    view.show_verified(verified, as_json=as_json, quiet=quiet)
    if not verified.succeeded:
        raise typer.Exit(ExitStatus.FAILED)
