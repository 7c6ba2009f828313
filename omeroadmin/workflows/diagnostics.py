"""Looks at an instance from all sides; one collector for each category, none of which can end the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from omeroadmin.database.failures import failure_of
from omeroadmin.errors import AdminError
from omeroadmin.profiles.store import load_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.version import VERSION
from omeroadmin.workflows.checks import care, places, servers, software
from omeroadmin.workflows.checks.model import Category, Diagnosis, Subject
from omeroadmin.workflows.logs import log_facts

Collector = Callable[[Subject], Category]

_BEFORE_LOGS: tuple[tuple[str, str, Collector], ...] = (
    ("commands", "Commands", software.commands),
    ("components", "Component", software.components),
    ("servers", "Server", servers.servers),
    ("ports", "OMERO", servers.ports),
    ("log-directory", "Log dir", places.log_directory),
)
_AFTER_LOGS: tuple[tuple[str, str, Collector], ...] = (
    ("environment", "Environment", places.environment),
    ("directories", "OMERO", places.directories),
    ("jvm", "JVM settings", servers.jvm),
    ("jars", "Jar", software.jars),
    ("certificate", "Certificate", care.certificate),
    ("database", "Database", care.database_answer),
    ("search-index", "Search", care.search_index),
    ("disk-space", "Disk space", places.disk_space),
    ("backup", "Backup", care.backup),
)


def diagnose(
    instance: Instance, environment: Mapping[str, str], user_directory: Path, *, parse_logs: bool = True
) -> Diagnosis:
    """Look at everything; what can't be looked at is a failed item, never an error.

    :param environment: variables of this process
    :param user_directory: ``OMERO_USERDIR`` or its default
    :param parse_logs: whether to read the logs
    """
    categories: list[Category] = []
    try:
        settings = load_settings(instance)
    except (AdminError, OSError) as error:
        settings = Settings({})
        categories.append(places.failed("configuration", "Config", error))
    subject = Subject(instance, settings, environment, user_directory, parse_logs)
    categories += [_collect(subject, *collector) for collector in _BEFORE_LOGS]
    if parse_logs:
        categories += _logs(instance)
    categories += [_collect(subject, *collector) for collector in _AFTER_LOGS]
    return Diagnosis(VERSION, instance.omerodir, tuple(categories))


def _logs(instance: Instance) -> list[Category]:
    try:
        logs = log_facts(instance)
    except OSError as error:
        return [places.failed("log-files", "Log files", error)]
    return [places.log_files(logs), *places.known_issues(logs)]


def _collect(subject: Subject, name: str, title: str, collector: Collector) -> Category:
    try:
        return collector(subject)
    except (AdminError, OSError) as error:
        return places.failed(name, title, error)
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        return places.failed(name, title, failure)
