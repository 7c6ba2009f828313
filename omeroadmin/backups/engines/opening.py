"""Which engine an address stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups.engines.address import SSH
from omeroadmin.backups.engines.directory import DirectoryEngine
from omeroadmin.backups.engines.engine import Engine


@dataclass(frozen=True)
class EngineOptions:
    """What engines need beside the address.

    :param temporary: directory for what is on its way to or from a target elsewhere; ``None``: the system's
    :param password_file: file with the password of a restic or borg repository
    """

    temporary: Path | None = None
    password_file: Path | None = None


def open_engine(address: str | Path, options: EngineOptions | None = None) -> Engine:
    """The engine of an address; nothing is read or connected to as yet.

    :raises AdminError: ``backup-target-invalid``
    """
    options = options or EngineOptions()
    text = str(address)
    if text.startswith(SSH):
        from omeroadmin.backups.engines.sftp import SftpEngine

        return SftpEngine(text, options.temporary)
    return DirectoryEngine(Path(address).absolute())
