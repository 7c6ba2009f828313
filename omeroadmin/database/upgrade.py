"""Upgrades of the schema: the scripts ``<TO>/<FROM>.sql`` of a distribution, chained from what is to what should be."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database.advisory import AdvisoryLock
from omeroadmin.database.connection import DatabaseAddress, connect, schema_version
from omeroadmin.database.plan import DatabaseFacts, StartCluster, StopCluster, mark_schema
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError, ExitStatus, configuration_error, failed_error
from omeroadmin.resources import templates_directory
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import files
from omeroadmin.system.clock import wait_until
from omeroadmin.system.host import Host

if TYPE_CHECKING:
    from psycopg import Connection

_NAME = re.compile(r"(?P<version>[A-Za-z0-9.-]+(?:_[A-Za-z0-9.-]+)*)__(?P<patch>\d{1,6})")
_PATIENCE = 2.0
"""Seconds to wait for a lock."""
_SERVERS = r"^(Blitz|Indexer|PixelData|Processor|OMERO\.IceStorm|PostgreSQL JDBC)"
"""What servers call themselves in the database: the reference server's processes, and OMERO's Java."""


@dataclass(frozen=True)
class UpgradeScript:
    """One step of an upgrade.

    :param path: of the script, which is one transaction
    :param precheck: a script that only looks whether the database is fit for it; ``None``: there is none
    """

    source: SchemaVersion
    target: SchemaVersion
    path: Path
    precheck: Path | None


def version_of(name: str) -> SchemaVersion | None:
    """The version that a name like ``OMERO5.4__0`` stands for."""
    found = _NAME.fullmatch(name)
    return None if found is None else SchemaVersion(found["version"], int(found["patch"]))


def upgrade_scripts(instance: Instance | None) -> list[UpgradeScript]:
    """All upgrade scripts: the distribution's, and this toolkit's for what the distribution lacks."""
    places = [templates_directory() / "sql"]
    if instance is not None:
        places.insert(0, instance.omerodir / "sql" / "psql")
    found: dict[tuple[SchemaVersion, SchemaVersion], UpgradeScript] = {}
    for path in (path for place in places for path in sorted(place.glob("*__*/*__*.sql"))):
        source, target = version_of(path.stem), version_of(path.parent.name)
        if source is None or target is None or source == target:
            continue
        precheck = path.with_name(f"{path.stem}-precheck.sql")
        script = UpgradeScript(source, target, path, precheck if precheck.is_file() else None)
        found.setdefault((source, target), script)
    return list(found.values())


def find_chain(
    scripts: list[UpgradeScript], source: SchemaVersion, target: SchemaVersion
) -> tuple[UpgradeScript, ...] | None:
    """The shortest chain of scripts from one version to another; ``None`` where there is none."""
    waiting: deque[tuple[SchemaVersion, tuple[UpgradeScript, ...]]] = deque([(source, ())])
    seen = {source}
    while waiting:
        version, chain = waiting.popleft()
        if version == target:
            return chain
        for script in scripts:
            if script.source == version and script.target not in seen:
                seen.add(script.target)
                waiting.append((script.target, (*chain, script)))
    return None


def plan_upgrade(facts: DatabaseFacts, instance: Instance, settings: Settings) -> Plan:
    """The steps from the database's version to the configured one; none where it has that.

    :param facts: of :func:`omeroadmin.database.plan.database_facts`
    :raises AdminError: ``database-empty``, ``upgrade-unknown``
    """
    wanted = SchemaVersion.from_settings(settings)
    title = f"upgrade the database {facts.address} to {wanted}"
    if facts.schema is None:
        raise configuration_error(
            "database-empty", f"the database {facts.address} holds no OMERO schema to upgrade", "omero db init"
        )
    chain = find_chain(upgrade_scripts(instance), facts.schema, wanted)
    if chain is None:
        raise _unknown(instance, facts.schema, wanted)
    steps: list[Step] = [RunUpgrade(instance, settings, facts.address, script) for script in chain]
    if steps and facts.programs is not None and not facts.running:
        start, stop = StartCluster(instance, settings, facts.address.port), StopCluster(instance, settings)
        steps = [start, *steps, stop]
    return Plan(title, tuple(steps))


def _unknown(instance: Instance, source: SchemaVersion, wanted: SchemaVersion) -> AdminError:
    starts = sorted({str(script.source) for script in upgrade_scripts(instance) if script.target == wanted})
    known = f"what leads to {wanted} begins at {', '.join(starts)}" if starts else f"nothing leads to {wanted}"
    return configuration_error(
        "upgrade-unknown",
        f"no scripts lead from {source}, which the database has, to {wanted}, which the server needs: {known}",
        "put the scripts of the releases between into sql/psql, or correct omero.db.version and omero.db.patch",
    )


@dataclass(frozen=True)
class RunUpgrade:
    """Run one script, after its check, in one transaction."""

    instance: Instance
    settings: Settings = field(repr=False)
    address: DatabaseAddress
    script: UpgradeScript

    def describe(self) -> str:
        """One line for the plan."""
        check = f", after {self.script.precheck.name}" if self.script.precheck else ""
        return f"upgrade the schema from {self.script.source} to {self.script.target}: {self.script.path}{check}"

    def apply(self, host: Host) -> None:  # noqa: ARG002 - reached by its address
        """Make the change; a database that has it already is left alone.

        :raises AdminError: ``database-in-use``, ``database-version``, ``upgrade-not-fit``, ``upgrade-failed``
        """
        with connect(self.address, autocommit=True) as connection:
            be_alone(connection, self.address)
            found = schema_version(connection)
            if found != self.script.target:
                self._run(connection, found)
        mark_schema(self.instance, self.settings, self.script.target)

    def _run(self, connection: Connection[Any], found: SchemaVersion | None) -> None:
        if found != self.script.source:
            raise configuration_error(
                "database-version",
                f"the database {self.address} has the version {found}, not {self.script.source} as it had before",
                "look at the plan again: omero db upgrade --dry-run",
            )
        if self.script.precheck is not None:
            _execute(connection, self.script.precheck, "upgrade-not-fit", "the database is not fit for the upgrade")
        _execute(connection, self.script.path, "upgrade-failed", f"the upgrade to {self.script.target} failed")
        reached = schema_version(connection)
        if reached != self.script.target:
            raise failed_error(
                "upgrade-failed",
                f"{self.script.path} went through, but the database has the version {reached} now",
                "it is no upgrade script; look at dbpatch",
            )


def be_alone(connection: Connection[Any], address: DatabaseAddress) -> None:
    """Be the only one that changes the schema, with no server and no backup at work, until the connection ends.

    :raises AdminError: ``database-in-use``
    """
    if not _taken(connection, AdvisoryLock.SCHEMA):
        raise _in_use(address, "another upgrade or restore runs", "wait for it")
    if not _taken(connection, AdvisoryLock.REMOVALS):
        raise _in_use(address, "a backup runs, or files are being removed from the repository", "wait for it")
    rows = connection.execute(
        "SELECT DISTINCT application_name FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name ~ %s ORDER BY 1",
        (_SERVERS,),
    ).fetchall()
    if rows:
        servers = ", ".join(str(row[0]) for row in rows)
        raise _in_use(address, f"{servers} works with it", "stop the server first: omero admin stop")


def _taken(connection: Connection[Any], lock: AdvisoryLock) -> bool:
    """Take a lock; the server lets go of that of the step before a moment after its connection was closed."""

    def take() -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchone()
        return row is not None and bool(row[0])

    return wait_until(take, timeout=_PATIENCE)


def _in_use(address: DatabaseAddress, why: str, hint: str) -> AdminError:
    return AdminError(
        "database-in-use",
        f"the database {address} can't be changed now: {why}",
        hint=hint,
        exit_status=ExitStatus.LOCKED,
    )


def _execute(connection: Connection[Any], path: Path, code: str, what: str) -> None:
    """Run a script whole; where it fails, nothing of it stays.

    :raises AdminError: the code given, ``file-not-read``
    """
    import psycopg

    script = files.read_text(path)
    try:
        connection.execute(script.encode())
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            raise failed_error(code, f"{what}: {path} leaves its transaction open", "nothing of it was kept")
    except psycopg.Error as error:
        words = error.diag.message_primary or str(error).strip().partition("\n")[0]
        raise failed_error(code, f"{what}: {path.name} says: {words}", "nothing of it was kept") from error
