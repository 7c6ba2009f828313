"""Options that the commands of ``omero backup`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Target = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help="Where snapshots are kept [omero.backup.target]."),
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
