"""Which engine an address stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups.engines.address import BORG, RESTIC, SSH, local_path, parse_repository, without_password
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
    if text.startswith((RESTIC, BORG)):
        return _archive_engine(text, options)
    return DirectoryEngine(Path(address).absolute())


def _archive_engine(address: str, options: EngineOptions) -> Engine:
    from omeroadmin.backups.engines.archive import ArchiveEngine
    from omeroadmin.backups.engines.borg import Borg
    from omeroadmin.backups.engines.restic import Restic

    repository = parse_repository(address)
    path = local_path(repository)
    if path is not None:
        # The programs run in other directories.
        repository = path = str(Path(path).absolute())
    kind = Restic if address.startswith(RESTIC) else Borg
    archiver = kind(repository, options.password_file)
    local = None if path is None else Path(path)
    return ArchiveEngine(without_password(address), archiver, local, options.temporary)
