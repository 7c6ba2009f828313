"""From how a cluster is archived to how it should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.database import embedded
from omeroadmin.database.connection import connect
from omeroadmin.database.physical.facts import PhysicalFacts
from omeroadmin.database.physical.layout import PhysicalLayout, configuration_text, settings_text
from omeroadmin.database.physical.program import PgBackRest
from omeroadmin.database.plan import StartCluster, StopCluster
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import MakeDirectory, WriteFile
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import files
from omeroadmin.system.host import Host


@dataclass(frozen=True)
class PhysicalWish:
    """What there should be.

    :param program: pgBackRest's path
    :param port: of the cluster
    :param archive: whether the cluster is archived
    :param in_use: whether OMERO's servers run on it: then only they are stopped by whoever may stop them
    """

    instance: Instance
    settings: Settings = field(repr=False)
    layout: PhysicalLayout
    program: Path
    port: int
    archive: bool
    in_use: bool


@dataclass(frozen=True)
class PhysicalPlan:
    """The steps, and what they can't do.

    :param restart: whether OMERO must be restarted after them, because PostgreSQL turns archiving on and off at its
        start only
    """

    plan: Plan
    restart: bool


def plan_archive(facts: PhysicalFacts, wish: PhysicalWish) -> PhysicalPlan:
    """The steps from facts to wish; none where all is as it should be.

    :raises AdminError: ``path-unusable``
    """
    return _turned_on(facts, wish) if wish.archive else _turned_off(facts, wish)


def _turned_on(facts: PhysicalFacts, wish: PhysicalWish) -> PhysicalPlan:
    layout = wish.layout
    wanted = {
        layout.configuration: configuration_text(layout),
        layout.settings: settings_text(wish.program, layout.configuration),
    }
    changed = [path for path, text in wanted.items() if facts.files.get(path) != text]
    restart = facts.running and not facts.archiving
    if not changed and facts.stanza and (wish.in_use or not restart):
        return PhysicalPlan(Plan(_title(wish)), restart=restart)
    steps: list[Step] = [
        *(MakeDirectory(path, 0o700) for path in (layout.repository, layout.work)),
        *(WriteFile(path, wanted[path].encode(), files.SECRET_MODE, _WHAT[path.name]) for path in changed),
    ]
    steps += _start(facts, wish, restart=restart)
    ready: list[Step] = [CreateStanza(wish.instance, wish.settings, layout, wish.program)]
    if restart and wish.in_use:
        return PhysicalPlan(Plan(_title(wish), (*steps, *ready)), restart=True)
    ready.append(CheckArchive(wish.instance, wish.settings, layout, wish.program))
    if not facts.running:
        ready.append(StopCluster(wish.instance, wish.settings))
    return PhysicalPlan(Plan(_title(wish), (*steps, *ready)), restart=False)


_WHAT = {"pgbackrest.conf": "pgBackRest's configuration", "archive.conf": "PostgreSQL's settings for archiving"}


def _start(facts: PhysicalFacts, wish: PhysicalWish, *, restart: bool) -> list[Step]:
    """What makes the server read its settings."""
    start = StartCluster(wish.instance, wish.settings, wish.port)
    if not facts.running:
        return [start]
    if not restart:
        return [ReloadSettings(wish.instance, wish.settings)]
    return [] if wish.in_use else [StopCluster(wish.instance, wish.settings), start]


def _turned_off(facts: PhysicalFacts, wish: PhysicalWish) -> PhysicalPlan:
    present = facts.files.get(wish.layout.settings) is not None
    steps: list[Step] = [RemoveSettings(wish.layout.settings)] if present else []
    restart = facts.archiving
    if restart and not wish.in_use:
        steps += [StopCluster(wish.instance, wish.settings), StartCluster(wish.instance, wish.settings, wish.port)]
    return PhysicalPlan(Plan(_title(wish), tuple(steps)), restart=restart and wish.in_use)


def _title(wish: PhysicalWish) -> str:
    if not wish.archive:
        return f"stop archiving the database in {wish.layout.directory}"
    return f"archive the database in {wish.layout.directory} to {wish.layout.repository}"


@dataclass(frozen=True)
class ReloadSettings:
    """Let the running server read its settings again."""

    instance: Instance
    settings: Settings = field(repr=False)

    def describe(self) -> str:
        """One line for the plan."""
        return "let PostgreSQL read its settings again"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - reached by its address
        """Make the change."""
        with connect(embedded.superuser_address(self.instance, self.settings), autocommit=True) as connection:
            connection.execute("SELECT pg_reload_conf()")


@dataclass(frozen=True)
class CreateStanza:
    """Make the repository ready for the cluster."""

    instance: Instance
    settings: Settings = field(repr=False)
    layout: PhysicalLayout
    program: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"let pgBackRest make {self.layout.repository} ready for this cluster"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - pgBackRest runs where the cluster is
        """Make the change."""
        superuser = embedded.superuser_address(self.instance, self.settings)
        PgBackRest(self.program, self.layout.configuration).create_stanza(superuser)


@dataclass(frozen=True)
class CheckArchive:
    """Let a segment of the log go all the way."""

    instance: Instance
    settings: Settings = field(repr=False)
    layout: PhysicalLayout
    program: Path

    def describe(self) -> str:
        """One line for the plan."""
        return "check that what PostgreSQL logs arrives there"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - pgBackRest runs where the cluster is
        """Look, and fail where it doesn't."""
        superuser = embedded.superuser_address(self.instance, self.settings)
        PgBackRest(self.program, self.layout.configuration).check(superuser)


@dataclass(frozen=True)
class RemoveSettings:
    """Remove the settings for archiving; pgBackRest's configuration and repository stay."""

    path: Path

    def describe(self) -> str:
        """One line for the plan."""
        return f"remove {self.path}; the repository stays as it is"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - the cluster's files are here
        """Make the change.

        :raises AdminError: ``file-not-removed``
        """
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise files.file_error("removed", self.path, error) from error
