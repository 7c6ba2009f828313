"""``backup schedule``: daily backups of an instance, pruned by a policy, verified now and then."""

from __future__ import annotations

import pwd
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from omeroadmin.backups.engines.address import is_directory
from omeroadmin.backups.engines.opening import EngineOptions, open_engine
from omeroadmin.backups.retention import Policy
from omeroadmin.backups.schedule import PLACES, Schedule, ScheduleKind, plan_schedule
from omeroadmin.errors import configuration_error, usage_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.steps.plan import Plan
from omeroadmin.workflows.backup_target import target_address

_USUAL_TIME = "01:30"
NOTHING = Policy()
"""Of what no prune is made."""


@dataclass(frozen=True)
class ScheduleWish:
    """What was asked for.

    :param target: ``None``: what ``omero.backup.target`` says each time
    :param directory: where the files go; ``None``: where the system looks for them
    :param policy: what a prune after each backup keeps; one that keeps nothing: no prune
    :param verify: whether each snapshot is verified after it was taken
    """

    instance: Instance
    kind: ScheduleKind
    target: str | None = None
    directory: Path | None = None
    policy: Policy = NOTHING
    verify: bool = False
    at: str | None = None
    jitter: int = 15
    user: str | None = None


def plan_instance_schedule(wish: ScheduleWish) -> Plan:
    """The files that make an instance be backed up daily.

    :raises AdminError: ``backup-target-unset``, ``backup-target-invalid``, ``schedule-invalid``,
        ``directory-missing``, ``options-conflict``, ``user-unknown``
    """
    if wish.kind is ScheduleKind.CRON and wish.at is not None:
        raise usage_error(
            "options-conflict", "cron runs its daily scripts at its own time", "leave --at out, or use systemd"
        )
    settings = load_settings(wish.instance)
    user = _known_user(wish)
    engine = open_engine(target_address(settings, wish.target), EngineOptions())
    directory = wish.directory or PLACES[wish.kind]
    if not directory.is_dir():
        raise configuration_error(
            "directory-missing", f"there is no directory {directory}", "name another one with --into, or the other kind"
        )
    mounts = [wish.instance.omerodir, settings.data_directory]
    schedule = Schedule(
        kind=wish.kind,
        omerodir=wish.instance.omerodir,
        user=user,
        commands=tuple(_commands(wish)),
        mounts=tuple(mounts if engine.local is None else [*mounts, engine.local]),
        at=wish.at or _USUAL_TIME,
        jitter=wish.jitter,
    )
    return plan_schedule(schedule, directory)


def _known_user(wish: ScheduleWish) -> str:
    if wish.user is None:
        return pwd.getpwuid(wish.instance.omerodir.stat().st_uid).pw_name
    try:
        return pwd.getpwnam(wish.user).pw_name
    except KeyError:
        raise usage_error("user-unknown", f"this machine has no user {wish.user!r}", "see: getent passwd") from None


def _commands(wish: ScheduleWish) -> list[tuple[str, ...]]:
    # Not resolved: a virtual environment's python is a link to the system's.
    program = str(Path(sys.executable).absolute().with_name("omero"))
    target = ("--target", _anywhere(wish.target)) if wish.target is not None else ()
    commands: list[tuple[str, ...]] = [(program, "backup", "create", "--quiet", *target)]
    if wish.verify:
        commands.append((program, "backup", "verify", "latest", "--quiet", *target))
    keeps = _keeps(wish.policy)
    if keeps:
        commands.append((program, "backup", "prune", "--quiet", "--yes", *keeps, *target))
    return commands


def _anywhere(target: str) -> str:
    """The address for a command that is run in another directory than this one."""
    return str(Path(target).absolute()) if is_directory(target) else target


def _keeps(policy: Policy) -> tuple[str, ...]:
    words: list[str] = []
    for field in fields(policy):
        value = getattr(policy, field.name)
        if field.name == "tags":
            words += [f"--keep-tag={tag}" for tag in value]
        elif value:
            words.append(f"--keep-{field.name}={value}")
    return tuple(words)
