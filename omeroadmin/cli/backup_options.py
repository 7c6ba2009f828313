"""Options that the commands of ``omero backup`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omeroadmin.cli.context import instance_settings, present_settings
from omeroadmin.schema.settings import Settings

Target = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="Where snapshots are kept [omero.backup.target]."),
]
Certificates = Annotated[
    bool, typer.Option("--certificates/--no-certificates", help="Whether private keys are saved as well.")
]
NewTarget = Annotated[
    bool, typer.Option("--new-target", help="Begin anew in a target that had snapshots and is empty now.")
]
EncryptTo = Annotated[
    list[str] | None,
    typer.Option(
        "--encrypt-to",
        metavar="KEY",
        help="Seal dump and configuration for this public key of age, or a file of them [omero.backup.encryption…].",
    ),
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="File with the passphrase that seals and opens them."),
]
IdentityFiles = Annotated[
    list[Path] | None,
    typer.Option("--identity-file", metavar="FILE", help="File with the private key that opens what is sealed."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Say nothing unless something is wrong, as cron likes it.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Sample = Annotated[
    str,
    typer.Option("--sample", metavar="N%", help="Read only so much of the files' contents, others each time."),
]
Limit = Annotated[
    float, typer.Option("--limit", metavar="MB/S", min=0, help="Megabytes a second to read; 0: as fast as it goes.")
]
Nice = Annotated[bool, typer.Option("--nice", help="Give way to whatever else needs processor or disk.")]
OnSuccess = Annotated[
    str | None,
    typer.Option("--on-success", metavar="COMMAND", help="Run it if all is well [omero.backup.hook.success]."),
]
OnFailure = Annotated[
    str | None, typer.Option("--on-failure", metavar="COMMAND", help="Run it if not [omero.backup.hook.failure].")
]


def target_settings(target: str | None) -> Settings | None:
    """Properties that a command needs which reads a target: its address, or the password's file of a repository.

    :param target: as ``--target`` says
    :return: ``None`` where they don't matter: a damaged configuration is no reason not to see the snapshots
    :raises AdminError: ``omerodir-unset``, ``omerodir-missing``, ``config-unparsable``
    """
    from omeroadmin.backups.engines.address import is_directory

    if target is None:
        return instance_settings()
    return None if is_directory(target) else present_settings()
