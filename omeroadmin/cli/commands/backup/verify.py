"""``omero backup verify``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from omeroadmin.cli.backup_options import (
    IdentityFiles,
    Json,
    PassphraseFile,
    Quiet,
    Sample,
    Target,
)
from omeroadmin.cli.context import require_instance
from omeroadmin.cli.percentage import part_of_all
from omeroadmin.cli.views import backups as view
from omeroadmin.errors import ExitStatus


def command(
    snapshot: Annotated[
        str, typer.Argument(metavar="[ID]", help="The snapshot: its id, the beginning of it, or latest.")
    ] = "latest",
    target: Target = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also restore the dump, and hold the files against its rows.")
    ] = False,
    sample: Sample = "100%",
    jobs: Annotated[int, typer.Option("--jobs", min=1, max=64, help="Processes that read.")] = 2,
    identity_file: IdentityFiles = None,
    passphrase_file: PassphraseFile = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Prove that a snapshot is as it was saved.

    Dump, configuration and the list of files are read again, and so is every file, and compared with their checksums.
    With --deep the dump is restored into a throwaway database as well, and every file that it names is looked for.

    A sealed dump can be restored with its key only; its checksums need none.

    Each fault is named with the file in the repository and the file in the target, and the exit status is 5.

    Example: omero backup verify --deep --target /backup/omero
    """
    from omeroadmin.profiles.store import load_settings
    from omeroadmin.schema.settings import Settings
    from omeroadmin.workflows.backup_keys import keys_for
    from omeroadmin.workflows.backup_verify import VerifyWish, verify_backup

    instance = require_instance() if target is None or os.environ.get("OMERODIR") else None
    settings = None if instance is None else load_settings(instance)
    wish = VerifyWish(
        target,
        settings or Settings({}),
        snapshot,
        jobs,
        instance=instance,
        keys=keys_for(settings, identity_file or (), passphrase_file),
        deep=deep,
        sample=part_of_all(sample),
    )
    verified = verify_backup(wish)
    view.show_verified(verified, as_json=as_json, quiet=quiet)
    if not verified.succeeded:
        raise typer.Exit(ExitStatus.FAILED)
