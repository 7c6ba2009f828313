"""Which backup target is meant, and its engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from omeroadmin.backups.engines.address import BORG, RESTIC, is_directory, require_known
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.engines.opening import EngineOptions, open_engine
from omeroadmin.backups.keys import warn_if_exposed
from omeroadmin.backups.store import Listed, list_snapshots
from omeroadmin.errors import configuration_error
from omeroadmin.schema.settings import Settings

TARGET_PROPERTY = "omero.backup.target"
PASSWORD_PROPERTY = "omero.backup.password_file"  # noqa: S105 - the name of a property


def target_address(settings: Settings | None, option: str | Path | None) -> str:
    """The target that is meant: the option's, else the property's.

    :param settings: ``None`` where there is no instance
    :raises AdminError: ``backup-target-unset``, ``backup-target-invalid``, ``backup-target-relative``
    """
    if option is not None:
        return require_known(str(option))
    text = "" if settings is None else settings.text(TARGET_PROPERTY).strip()
    if not text:
        raise configuration_error(
            "backup-target-unset",
            f"no backup target: {TARGET_PROPERTY} is not set",
            f"omero config set {TARGET_PROPERTY} DIR, or add --target DIR",
        )
    if is_directory(require_known(text)) and not Path(text).is_absolute():
        # cron, systemd and people have different working directories.
        raise configuration_error(
            "backup-target-relative",
            f"{TARGET_PROPERTY} is {text!r}: where that is depends on where a command runs",
            f"omero config set {TARGET_PROPERTY} {Path(text).absolute()}",
        )
    return text


def engine_for(settings: Settings | None, option: str | Path | None, temporary: Path | None = None) -> Engine:
    """The engine of the target that is meant; to be closed by whoever asks.

    :param temporary: where what is on its way is put aside
    :raises AdminError: ``backup-target-unset``, ``backup-target-invalid``
    """
    address, password_file = target_address(settings, option), _password_file(settings)
    if password_file is not None and address.startswith((RESTIC, BORG)):
        warn_if_exposed(password_file)
    return open_engine(address, EngineOptions(temporary, password_file))


def _password_file(settings: Settings | None) -> Path | None:
    """The file with the password of a restic or borg repository, where the instance has one."""
    text = "" if settings is None else settings.text(PASSWORD_PROPERTY).strip()
    return Path(text).absolute() if text else None


@contextlib.contextmanager
def open_target(
    settings: Settings | None, option: str | Path | None, temporary: Path | None = None
) -> Iterator[Engine]:
    """The engine of the target that is meant, closed at the end of the block.

    :raises AdminError: ``backup-target-unset``, ``backup-target-invalid``
    """
    engine = engine_for(settings, option, temporary)
    try:
        yield engine
    finally:
        engine.close()


def listed_snapshots(settings: Settings | None, option: str | Path | None) -> list[Listed]:
    """The snapshots of the target that is meant, oldest first.

    :raises AdminError: ``backup-target-unset``, ``backup-target-missing``
    """
    with open_target(settings, option) as engine:
        return list_snapshots(engine)
