"""Physical backups of an instance: where pgBackRest's repository is, and how the cluster comes to be archived."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups.engines.engine import Engine
from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress, connect, server_version
from omeroadmin.database.physical.facts import physical_facts
from omeroadmin.database.physical.layout import PROGRAM, PhysicalLayout, configuration_text, settings_text
from omeroadmin.database.physical.plan import PhysicalPlan, PhysicalWish, plan_archive
from omeroadmin.database.physical.program import find_pgbackrest, refuse_unsupported
from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan
from omeroadmin.system.host import Host
from omeroadmin.workflows.backup_scope import refuse_inside, scope_of
from omeroadmin.workflows.backup_target import open_target
from omeroadmin.workflows.driver import instance_driver

REPOSITORY_PROPERTY = "omero.backup.physical.repository"
REPOSITORY_NAME = "pgbackrest"
"""The repository's name in a target that is a directory."""

_EXTERNAL_REPOSITORY = Path("/var/lib/pgbackrest")
_EXTERNAL_CONFIGURATION = Path("/etc/pgbackrest/pgbackrest.conf")


def repository_of(engine: Engine, settings: Settings | None) -> Path:
    """Where pgBackRest keeps what goes with the snapshots of a target.

    :param settings: ``None`` where there is no instance
    :raises AdminError: ``physical-repository-unset``
    """
    text = "" if settings is None else settings.text(REPOSITORY_PROPERTY).strip()
    if text:
        return Path(text).absolute()
    if engine.local is None:
        raise configuration_error(
            "physical-repository-unset",
            f"physical backups go to a directory, which {engine.address} is not",
            f"name one: omero config set {REPOSITORY_PROPERTY} DIR",
        )
    return engine.local / REPOSITORY_NAME


def layout_of(instance: Instance, repository: Path) -> PhysicalLayout:
    """Where pgBackRest's files of an instance's own cluster lie."""
    return PhysicalLayout(embedded.cluster_of(instance).directory, repository)


def plan_archiving(instance: Instance, settings: Settings, target: str | None, *, archive: bool) -> PhysicalPlan:
    """Look at the instance's own cluster, and plan that it is archived, or not any more.

    :param target: ``None``: as ``omero.backup.target`` says
    :raises AdminError: ``physical-external``, ``pgbackrest-missing``, ``physical-unsupported``,
        ``physical-repository-unset``, ``backup-target-inside``, ``cluster-missing``, and those of the database
    """
    refuse_external(settings)
    cluster = embedded.cluster_of(instance)
    superuser = embedded.superuser_address(instance, settings)
    program = find_pgbackrest()
    with open_target(settings, target) as engine:
        repository = repository_of(engine, settings)
        if archive:
            refuse_unsupported(program, cluster.data)
            refuse_inside(engine, scope_of(instance, settings, certificates=True))
            _refuse_repository_inside(repository, settings)
        layout = layout_of(instance, repository)
        in_use = instance_driver(instance).node_process() is not None
        wish = PhysicalWish(instance, settings, layout, program, superuser.port, archive=archive, in_use=in_use)
        planned = plan_archive(physical_facts(instance, settings, layout, program), wish)
        if archive and planned.plan and _must_be_made(engine, repository):
            first = Plan(planned.plan.title, (MakeTarget(engine.address),))
            return PhysicalPlan(first + planned.plan, planned.restart)
        return planned


def refuse_external(settings: Settings) -> None:
    """Only the instance's own PostgreSQL has its files where this user can read them.

    :raises AdminError: ``physical-external``
    """
    if not embedded.is_embedded(settings):
        raise configuration_error(
            "physical-external",
            f"the database {DatabaseAddress.from_settings(settings)} is none of the instance's own: pgBackRest runs"
            " on its host, as its user",
            "see the settings for it: omero backup archive",
        )


def _refuse_repository_inside(repository: Path, settings: Settings) -> None:
    data = Path(os.path.realpath(settings.data_directory))
    if Path(os.path.realpath(repository)).is_relative_to(data):
        raise configuration_error(
            "backup-target-inside",
            f"{REPOSITORY_PROPERTY} {repository} lies in {data}, which is to be backed up",
            "choose a directory outside, best on another disk",
        )


def _must_be_made(engine: Engine, repository: Path) -> bool:
    if engine.local is None or not repository.is_relative_to(engine.local):
        return False
    try:
        engine.names()
    except AdminError as error:
        if error.code == "backup-target-missing":
            return True
        raise
    return False


@dataclass(frozen=True)
class MakeTarget:
    """Make the target before the repository in it: a directory with other things in it is taken for no target."""

    address: str

    def describe(self) -> str:
        """One line for the plan."""
        return f"make the backup target {self.address}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - its engine makes it
        """Make the change."""
        with open_target(None, self.address) as engine:
            engine.make()
            with engine.locked():
                pass


@dataclass(frozen=True)
class ExternalSettings:
    """What an administrator of an external database puts into its files.

    :param configuration: text for pgBackRest's configuration file
    :param settings: text for ``postgresql.conf``
    """

    configuration_path: Path
    configuration: str
    settings: str


def external_settings(settings: Settings) -> ExternalSettings:
    """Settings for a database that isn't the instance's own, for the host that it is on.

    :raises AdminError: those of the database
    """
    with connect(DatabaseAddress.from_settings(settings)) as connection:
        major = server_version(connection)[0]
    text = settings.text(REPOSITORY_PROPERTY).strip()
    repository = Path(text) if text else _EXTERNAL_REPOSITORY
    # Debian's place; what it really is, PostgreSQL tells its superuser only.
    data = Path(f"/var/lib/postgresql/{major}/main")
    return ExternalSettings(
        _EXTERNAL_CONFIGURATION,
        configuration_text(PhysicalLayout(data.parent, repository), external=data),
        settings_text(PROGRAM, _EXTERNAL_CONFIGURATION),
    )
