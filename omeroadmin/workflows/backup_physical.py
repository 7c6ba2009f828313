"""The physical backup that goes with a snapshot: taken, verified, and expired with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.faults import Fault
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.backups.store import list_snapshots
from omeroadmin.database import embedded
from omeroadmin.database.connection import connect
from omeroadmin.database.physical.catalog import full_backups_to_keep, next_kind
from omeroadmin.database.physical.facts import archiver
from omeroadmin.database.physical.layout import BACKUP_MANIFEST, PhysicalLayout, configuration_text
from omeroadmin.database.physical.program import PgBackRest, find_pgbackrest, reading
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.clock import utc_now
from omeroadmin.workflows.physical import REPOSITORY_PROPERTY, layout_of, refuse_external, repository_of

AUTOMATIC = "auto"
"""The kind that lets the age of the last full backup decide."""
FULL_DAYS = 7.0
"""Days between full backups; restoring takes one full backup and at most one more."""


def back_up_physically(
    instance: Instance, settings: Settings, engine: Engine, kind: str | None, *, sealed: bool
) -> dict[str, str]:
    """Take a physical backup of the running cluster.

    :param kind: ``auto``, or one of pgBackRest's; ``None``: none is taken
    :param sealed: whether the snapshot's dump is sealed
    :return: what the snapshot says of it: label, kind, repository, version of PostgreSQL; empty without one
    :raises AdminError: ``physical-external``, ``physical-unsealed``, ``pgbackrest-missing``, ``archive-off``,
        ``locked``, ``physical-failed``
    """
    if kind is None:
        return {}
    refuse_external(settings)
    if sealed and not settings.text(REPOSITORY_PROPERTY).strip():
        raise configuration_error(
            "physical-unsealed",
            "pgBackRest would keep the database in the clear in a target whose dumps are sealed",
            f"name a directory on a disk that is encrypted: omero config set {REPOSITORY_PROPERTY} DIR",
        )
    layout = layout_of(instance, repository_of(engine, settings))
    superuser = embedded.superuser_address(instance, settings)
    pgbackrest = PgBackRest(find_pgbackrest(), layout.configuration)
    with connect(superuser) as connection:
        _refuse_without_archive(layout, enabled=archiver(connection).enabled)
        version = connection.info.server_version
    if kind == AUTOMATIC:
        kind = next_kind(pgbackrest.catalog().backups, utc_now().timestamp(), FULL_DAYS)
    label = pgbackrest.back_up(superuser, kind, layout.work)
    local = engine.local
    inside = local is not None and layout.repository.is_relative_to(local)
    return {
        "label": label,
        "kind": {"F": "full", "D": "diff", "I": "incr"}[label[-1]],
        # A target that is mounted elsewhere has its repository along.
        "repository": str(layout.repository.relative_to(local) if inside and local else layout.repository),
        "postgresql": f"{version // 10000}.{version % 10000}",
    }


def _refuse_without_archive(layout: PhysicalLayout, *, enabled: bool) -> None:
    wanted = configuration_text(layout)
    present = layout.configuration.read_text("utf-8") if layout.configuration.is_file() else ""
    if enabled and present == wanted and layout.settings.is_file():
        return
    if not enabled and present == wanted and layout.settings.is_file():
        raise configuration_error(
            "archive-off", "PostgreSQL archives after its next start only", "omero admin stop, then omero admin start"
        )
    raise configuration_error(
        "archive-off",
        f"the database is not archived to {layout.repository}, which a physical backup rests on",
        "set it up, once: omero backup archive",
    )


def physical_repository(engine: Engine, physical: Mapping[str, str]) -> Path:
    """Where the repository of a snapshot's physical backup is now."""
    return Path(os.path.normpath((engine.local or Path("/")) / physical["repository"]))


def check_physical(engine: Engine, snapshot: Snapshot, *, thorough: bool) -> Iterator[Fault]:
    """Faults of the physical backup that a snapshot names, and of the archive.

    :param thorough: whether pgBackRest reads all of it again
    :raises AdminError: ``pgbackrest-missing``
    """
    if not snapshot.physical:
        return
    program = find_pgbackrest()
    label, repository = snapshot.physical["label"], physical_repository(engine, snapshot.physical)
    try:
        with reading(program, repository) as pgbackrest:
            backups = {item.label: item for item in pgbackrest.catalog().backups}
            needed = [label, *([] if label not in backups else backups[label].needs)]
            # pgBackRest itself doesn't miss a backup whose directory is gone.
            for name in needed:
                if name not in backups or not (repository / BACKUP_MANIFEST.format(label=name)).is_file():
                    yield Fault(
                        "physical-missing", name, "this physical backup is not in its repository", str(repository)
                    )
            for fault in pgbackrest.verify() if thorough else ():
                # Backups that this one doesn't rest on are other snapshots' concern.
                if fault.concerns(needed):
                    yield Fault("physical-damaged", fault.part or label, fault.message, str(repository))
    except AdminError as error:
        yield Fault(error.code, label, error.message, str(repository))


def expire_physical(engine: Engine) -> int:
    """Remove the physical backups that are older than all which snapshots name, and the archive before them.

    The newest full backup always stays. The lock of the target must be held.

    :return: number of full backups that stay; 0 where there is nothing physical
    :raises AdminError: ``pgbackrest-missing``, ``physical-failed``
    """
    named = [item.snapshot.physical for item in list_snapshots(engine) if item.snapshot and item.snapshot.physical]
    damaged = any(item.snapshot is None for item in list_snapshots(engine))
    if not named or damaged:
        # A document that can't be read may name what must not go.
        return 0
    repository = physical_repository(engine, named[-1])
    with reading(find_pgbackrest(), repository) as pgbackrest:
        keep = full_backups_to_keep(pgbackrest.catalog().backups, [item["label"] for item in named])
        pgbackrest.expire(keep)
    return keep
