"""Care for an instance's database: whether it is whole and of this repository, and its upgrades."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from omeroadmin.database.check import DatabaseCheck, Finding, Status, check_database
from omeroadmin.database.connection import DatabaseAddress, connect, server_version
from omeroadmin.database.dump import dump
from omeroadmin.database.plan import database_facts
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.database.replacement import ReplaceContents
from omeroadmin.database.script import SchemaVersion
from omeroadmin.database.upgrade import plan_upgrade
from omeroadmin.errors import configuration_error
from omeroadmin.profiles.store import load_settings
from omeroadmin.repository.layout import marker_directory
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan


def plan_instance_upgrade(instance: Instance) -> Plan:
    """The steps that bring the instance's database to the version that its server needs.

    :raises AdminError: as :func:`omeroadmin.database.plan.database_facts` and
        :func:`omeroadmin.database.upgrade.plan_upgrade`
    """
    settings = load_settings(instance)
    return plan_upgrade(database_facts(instance, settings), instance, settings)


def dump_instance_database(instance: Instance, directory: Path) -> None:
    """Dump the instance's database as it is now.

    :param directory: is made, for its owner only
    :raises AdminError: as :func:`omeroadmin.database.dump.dump`
    """
    address, programs = _reached(load_settings(instance))
    dump(address, programs, directory)


def plan_database_restore(instance: Instance, directory: Path) -> Plan:
    """Make the instance's database what a dump of it holds; a server must not be at work.

    :param directory: of the dump
    :raises AdminError: ``dump-missing``, ``postgresql-too-old``, and as
        :func:`omeroadmin.database.connection.connect`
    """
    if not (directory / "toc.dat").is_file():
        raise configuration_error("dump-missing", f"{directory} holds no dump: it has no toc.dat")
    settings = load_settings(instance)
    address, programs = _reached(settings)
    step = ReplaceContents(instance, settings, address, programs, directory)
    return Plan(f"restore the database {address}", (step,))


def _reached(settings: Settings) -> tuple[DatabaseAddress, Programs]:
    """Where the database is, and the programs that fit its server."""
    address = DatabaseAddress.from_settings(settings)
    with connect(address) as connection:
        major = server_version(connection)[0]
    return address, client_programs(settings, server_major=major)


def check_instance_database(instance: Instance) -> DatabaseCheck:
    """Look at the instance's database, and whether the binary repository is its own.

    :raises AdminError: as :func:`omeroadmin.database.connection.connect`
    """
    settings = load_settings(instance)
    address, wanted = DatabaseAddress.from_settings(settings), SchemaVersion.from_settings(settings)
    check = check_database(address, wanted, own_schema=not instance.is_distribution)
    uuid = next((found.evidence for found in check.findings if found.name == "uuid" and found.status is Status.OK), "")
    return replace(check, findings=(*check.findings, _markers(settings.data_directory, uuid))) if uuid else check


def _markers(data_directory: Path, uuid: str) -> Finding:
    """Each database that was used with a repository leaves its marker there."""
    own = marker_directory(data_directory, uuid)
    try:
        others = sorted(path.name for path in own.parent.iterdir() if path.name != uuid)
    except FileNotFoundError:
        others = []
    except OSError as error:
        return Finding("repository", Status.WARN, f"{own.parent} can't be read: {error.strerror}")
    if others and not own.is_dir():
        return Finding(
            "repository",
            Status.WARN,
            f"{data_directory} was used with the database {others[0]}, and never with this one",
            "make sure that omero.data.dir and omero.db.name belong together",
        )
    return Finding("repository", Status.OK, f"{data_directory} {'is its own' if own.is_dir() else 'is unused'}")
