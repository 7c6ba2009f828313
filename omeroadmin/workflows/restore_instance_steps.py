"""The parts that the plan of a restored instance is made of, each empty where it isn't wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.backups.selection import Amount
from omeroadmin.backups.snapshot import manifest_path
from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.plan import DatabaseWish, StopCluster, plan_database
from omeroadmin.profiles.plan import plan_properties
from omeroadmin.repository.layout import inspect_data_directories, plan_data_directories
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Step
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.restore_destination import (
    empty_index,
    holds_part,
    interrupted_leftovers,
    missing_directories,
    restored_database_facts,
)
from omeroadmin.workflows.restore_steps import ExtractFiles, Mark, RestoreDump, RestoreReport, restore_programs

if TYPE_CHECKING:
    from omeroadmin.workflows.restore import Copy


def title(copy: Copy) -> str:
    """What is restored, and where to."""
    verb = "go on restoring" if copy.destination.resumes else "restore"
    what = f"{', '.join(copy.wish.only)} of " if copy.wish.only else ""
    where = str(copy.data if copy.selection.files_only else copy.instance.omerodir)
    if not (copy.selection.files_only or copy.stays):
        where += f", data to {copy.data}"
    return f"{verb} {what}snapshot {copy.snapshot.id} to {where}"


def instance_steps(
    copy: Copy,
    settings: Settings,
    configuration: Sequence[Step],
    values: Mapping[str, str],
    properties: Mapping[str, str],
) -> list[Step]:
    """Steps for directories, configuration and properties.

    :param configuration: steps that write the configuration's files
    :param values: properties that are there then
    :param properties: those that differ
    """
    instance = copy.instance
    directories = plan_data_directories(settings, inspect_data_directories(settings, LocalHost()))
    database = str(DatabaseAddress.from_settings(settings))
    return [
        *missing_directories(instance),
        *interrupted_leftovers(copy.destination),
        Mark(copy.destination.mark, copy.destination.source, copy.data, finished=False, database=database),
        *configuration,
        *plan_properties(values, properties, instance.config_xml, "backup restore"),
        *(directories if copy.selection.has_data else []),
    ]


def data_steps(copy: Copy, settings: Settings, amount: Amount, report: RestoreReport) -> list[Step]:
    """Steps for the files.

    :param amount: how much they are, for the plan
    """
    if not copy.selection.has_files:
        return []
    places = tuple(copy.places.items())
    extract = ExtractFiles(
        copy.engine, copy.snapshot, manifest_path(copy.directory), places, copy.selection, amount, report
    )
    return [*(empty_index(settings.data_directory) if copy.selection.has_data else []), extract]


def rows_file(copy: Copy) -> Path:
    """Where the rows of the restored database are put aside."""
    return copy.instance.temporary_directory / "restored-rows.jsonl.zst"


def database_steps(copy: Copy, settings: Settings) -> list[Step]:
    """Steps for the database."""
    if not copy.selection.database:
        return []
    instance, wish = copy.instance, copy.wish
    facts = restored_database_facts(instance, settings)
    programs = restore_programs(facts, settings, copy.snapshot)
    again = holds_part(copy.destination, facts, programs)
    return [
        *plan_database(facts, DatabaseWish(instance, settings, None, keep_running=True)),
        RestoreDump(
            instance, settings, copy.snapshot, copy.directory, wish.keys, programs, rows_file(copy), wish.jobs, again
        ),
        *([StopCluster(instance, settings)] if facts.programs is not None else []),
    ]
