"""Which keys seal a snapshot and which open it: the options', else the properties'."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from omeroadmin.backups.keys import Keys, Seal, read_keys, read_seal
from omeroadmin.backups.scan import Root
from omeroadmin.errors import configuration_error
from omeroadmin.schema.settings import Settings

RECIPIENTS_PROPERTY = "omero.backup.encryption.recipients"
PASSPHRASE_PROPERTY = "omero.backup.encryption.passphrase_file"  # noqa: S105 - a name
IDENTITY_PROPERTY = "omero.backup.encryption.identity_file"


def seal_for(settings: Settings, recipients: Sequence[str], passphrase_file: Path | None) -> Seal | None:
    """The seal that is meant; ``None``: none.

    :param recipients: public keys or files of them; with any option, no property counts
    :raises AdminError: as :func:`omeroadmin.backups.keys.read_seal`
    """
    if recipients or passphrase_file is not None:
        return read_seal(recipients, passphrase_file)
    named = [text.strip() for text in settings.text(RECIPIENTS_PROPERTY).split(",")]
    return read_seal([text for text in named if text], _file(settings, PASSPHRASE_PROPERTY))


def keys_for(settings: Settings | None, identity_files: Sequence[Path], passphrase_file: Path | None) -> Keys:
    """The keys that are meant.

    :param settings: ``None`` where there is no instance
    :param identity_files: with any option, no property counts
    :raises AdminError: as :func:`omeroadmin.backups.keys.read_keys`
    """
    if identity_files or passphrase_file is not None or settings is None:
        return read_keys(identity_files, passphrase_file)
    identity = _file(settings, IDENTITY_PROPERTY)
    return read_keys([] if identity is None else [identity], _file(settings, PASSPHRASE_PROPERTY))


def refuse_key_inside(settings: Settings, passphrase_file: Path | None, roots: Sequence[Root]) -> None:
    """Make sure that what opens a snapshot isn't saved beside it in the clear.

    :param roots: trees that are saved as they are
    :raises AdminError: ``backup-key-inside``
    """
    files = (passphrase_file, _file(settings, PASSPHRASE_PROPERTY), _file(settings, IDENTITY_PROPERTY))
    for path in {file for file in files if file is not None}:
        for root in roots:
            if Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root.directory)):
                raise configuration_error(
                    "backup-key-inside",
                    f"{path} opens the snapshot, and lies in {root.directory}, which is saved as it is",
                    "move it out of there, and keep a copy elsewhere",
                )


def _file(settings: Settings, name: str) -> Path | None:
    text = settings.text(name).strip()
    return Path(text) if text else None
