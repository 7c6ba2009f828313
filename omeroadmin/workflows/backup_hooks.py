"""Runs the admin's own programs after a backup: one where it succeeded, one where it didn't."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.errors import AdminError, AdminWarning, ExitStatus, configuration_error, failed_error
from omeroadmin.schema.settings import Settings
from omeroadmin.system import process
from omeroadmin.workflows.backup import BackupListener, BackupWish, create_backup

SUCCESS_PROPERTY = "omero.backup.hook.success"
FAILURE_PROPERTY = "omero.backup.hook.failure"

_TIMEOUT = 3600.0
"""Seconds; a hook that copies a target elsewhere takes its time."""


@dataclass(frozen=True)
class Hooks:
    """Programs with their arguments; empty: none.

    :param success: after a consistent snapshot
    :param failure: after a failure, and after a snapshot that isn't consistent
    """

    success: tuple[str, ...] = ()
    failure: tuple[str, ...] = ()


def hooks_of(settings: Settings, success: str | None = None, failure: str | None = None) -> Hooks:
    """The hooks of the options, else of the properties; their programs are looked for before there is anything to lose.

    :param success: program and arguments in one text, with a shell's quotes; no shell runs it
    :param failure: the same
    :raises AdminError: ``hook-invalid``
    """
    return Hooks(_words(settings, SUCCESS_PROPERTY, success), _words(settings, FAILURE_PROPERTY, failure))


def _words(settings: Settings, name: str, option: str | None) -> tuple[str, ...]:
    text = settings.text(name) if option is None else option
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise configuration_error("hook-invalid", f"{name} is {text!r}: {error}", "close its quotes") from error
    if words and process.find_program(words[0]) is None:
        raise configuration_error(
            "hook-invalid", f"{name}: {words[0]} is no program that can be run", f"check it: ls -l {words[0]}"
        )
    return words


def backup_with_hooks(wish: BackupWish, hooks: Hooks, listener: BackupListener | None = None) -> Snapshot:
    """Take a snapshot and run the hook that fits.

    :raises AdminError: ``hook-failed`` where the snapshot was taken and the hook failed, and as
        :func:`omeroadmin.workflows.backup.create_backup`
    """
    try:
        snapshot = create_backup(wish, listener)
    except BaseException as error:
        _tell_failure(hooks.failure, wish, error)
        raise
    result = "success" if snapshot.consistent else "inconsistent"
    hook = hooks.success if snapshot.consistent else hooks.failure
    _run(hook, {"RESULT": result, "STATUS": "0" if snapshot.consistent else "5", **_facts(wish, snapshot)})
    return snapshot


def _tell_failure(hook: tuple[str, ...], wish: BackupWish, error: BaseException) -> None:
    """What went wrong first is what the admin must know; that the hook failed as well comes before it."""
    if isinstance(error, AdminError):
        code, message, status = error.code, error.message, int(error.exit_status)
    elif isinstance(error, KeyboardInterrupt):
        code, message, status = "interrupted", "interrupted", int(ExitStatus.INTERRUPTED)
    else:
        code, message, status = "bug", repr(error), int(ExitStatus.BUG)
    values = {"RESULT": "failure", "STATUS": str(status), "CODE": code, "MESSAGE": message, "TAG": wish.tag}
    try:
        _run(hook, values)
    except AdminError as second:
        warnings.warn(second.message, AdminWarning, stacklevel=2)


def _facts(wish: BackupWish, snapshot: Snapshot) -> dict[str, str]:
    return {
        "ID": snapshot.id,
        "TAG": wish.tag,
        "FILES": str(snapshot.files),
        "BYTES": str(snapshot.size),
        "COPIED_BYTES": str(snapshot.copied_bytes),
        "SECONDS": f"{snapshot.seconds:.1f}",
        "FAULTS": str(snapshot.fault_count),
        "MESSAGE": str(snapshot.faults[0]) if snapshot.faults else "",
    }


def _run(hook: tuple[str, ...], values: Mapping[str, str]) -> None:
    if not hook:
        return
    # No value ends a variable early, whatever a file is called.
    variables = {f"OMERO_BACKUP_{name}": value.replace("\0", "") for name, value in values.items()}
    taken = f"snapshot {values['ID']} was taken, but " if "ID" in values else ""
    try:
        done = process.run(hook, timeout=_TIMEOUT, environment=variables)
    except AdminError as error:
        raise failed_error("hook-failed", f"{taken}its hook failed: {error.message}") from error
    if not done.succeeded:
        message = f"{taken}the hook {hook[0]} ended with status {done.status}: {done.last_words()}"
        raise failed_error("hook-failed", message, "run it by hand with the variables OMERO_BACKUP_* set")
