"""Makes an instance of what the manual's backups leave: a dump of the database and a mirror of the data directory.

The two were taken apart from each other. So what doesn't fit is looked for, and named.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.backups.mirror import check_mirror
from omeroadmin.certificates import facts as certificate_facts
from omeroadmin.certificates.plan import CertificateWish, plan_certificates
from omeroadmin.database.connection import DatabaseAddress, connect, server_version
from omeroadmin.database.dump_file import dump_format
from omeroadmin.database.plan import DatabaseFacts, DatabaseWish, StopCluster, plan_database
from omeroadmin.database.programs import Programs, client_programs
from omeroadmin.errors import AdminWarning, configuration_error
from omeroadmin.profiles.plan import plan_properties
from omeroadmin.profiles.properties import parse_properties
from omeroadmin.profiles.relocation import relocated
from omeroadmin.profiles.store import read_profile
from omeroadmin.repository.layout import inspect_data_directories, plan_data_directories, plan_scripts
from omeroadmin.resources import templates_directory
from omeroadmin.schema.catalog import MASK
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import MakeDirectory
from omeroadmin.steps.plan import Plan, Step
from omeroadmin.system import files
from omeroadmin.system.local import LocalHost
from omeroadmin.workflows.backup_target import TARGET_PROPERTY
from omeroadmin.workflows.install import POOL_SIZE, ExternalDatabase
from omeroadmin.workflows.restore import RestorePlan
from omeroadmin.workflows.restore_destination import (
    Destination,
    database_properties,
    empty_index,
    find_destination,
    interrupted_leftovers,
    missing_directories,
    refuse_unsuitable,
    restored_database_facts,
)
from omeroadmin.workflows.restore_mirror_steps import CheckMirror, CopyMirror, Original, RestoreDumpFile
from omeroadmin.workflows.restore_steps import Mark, RestoreReport

_DATA = "omero.data.dir"
_MANAGED = "omero.managed.dir"
_DEFAULT_DATA = "/OMERO"
_KEYS = "certs"
_KEYS_DIRECTORY = "omero.glacier2.IceSSL.DefaultDir"
_KEYS_PROPERTIES = frozenset(f"omero.glacier2.IceSSL.{name}" for name in ("DefaultDir", "CertFile", "CAs", "Password"))


@dataclass(frozen=True)
class MirrorWish:
    """What was asked for.

    :param dump: made by pg_dump or pg_dumpall, in any of their formats
    :param mirror: copy of ``omero.data.dir``, plain or rdiff-backup's
    :param configuration: what ``omero config get`` printed, or a ``config.xml``; ``None``: as a new instance has it
    :param into: directory of the new instance
    :param data_directory: its data; ``None``: beside it, named after it
    :param ports_prefix: text put before the ports; ``None``: as configured
    :param database: ``None``: a PostgreSQL of the instance's own
    :param overwrite: whether existing files and the existing database may be replaced
    """

    dump: Path
    mirror: Path
    into: Path
    configuration: Path | None = None
    data_directory: Path | None = None
    ports_prefix: str | None = None
    database: ExternalDatabase | None = None
    overwrite: bool = False
    jobs: int = 2


def plan_mirror_restore(wish: MirrorWish) -> RestorePlan:
    """Look at dump, mirror and destination, and plan.

    :raises AdminError: ``dump-missing``, ``dump-unknown``, ``mirror-missing``, ``mirror-unfinished``,
        ``mirror-quoted``, ``managed-outside-mirror``, ``properties-invalid``, ``restore-over-existing``,
        ``restore-into-target``, ``restore-over-running``, ``postgresql-too-old``, and those of the database
    """
    dump, mirror = Path(os.path.realpath(wish.dump)), Path(os.path.realpath(wish.mirror))
    kind = dump_format(dump)
    check_mirror(mirror)
    destination = find_destination(wish.into, wish.data_directory, f"{dump} {mirror}")
    refuse_unsuitable(destination, [destination.data], mirror, overwrite=wish.overwrite)
    values = _saved_properties(wish.configuration)
    original = _original(values)
    keeps_keys = _has_keys(values, original, mirror)
    values, settings = _properties(wish, destination, values, original, keeps_keys=keeps_keys)
    instance, report, host = destination.instance, RestoreReport(), LocalHost()
    facts = restored_database_facts(instance, settings)
    present = read_profile(instance.config_xml).values if instance.config_xml.exists() else {}
    copy = CopyMirror(mirror, instance, settings, frozenset() if keeps_keys else frozenset({_KEYS}), report)
    load = RestoreDumpFile(
        instance, settings, dump, kind.value, _programs(facts, settings), original, wish.jobs, report
    )
    steps: list[Step] = [
        *missing_directories(instance),
        *interrupted_leftovers(destination),
        Mark(destination.mark, destination.source, destination.data, finished=False),
        *plan_properties(present, values, instance.config_xml, "backup restore"),
        *plan_data_directories(settings, inspect_data_directories(settings, host)),
        *([] if keeps_keys else _new_keys(settings)),
        *plan_scripts(instance.scripts_directory, templates_directory() / "scripts", host),
        *empty_index(destination.data),
        copy,
        *plan_database(facts, DatabaseWish(instance, settings, None, keep_running=True)),
        load,
        *([StopCluster(instance, settings)] if facts.programs is not None else []),
        CheckMirror(instance, report),
        Mark(destination.mark, destination.source, destination.data, finished=True),
    ]
    verb = "go on restoring" if destination.resumes else "restore"
    title = f"{verb} {dump} and {mirror} to {instance.omerodir}, data to {destination.data}"
    return RestorePlan(str(dump), Plan(title, tuple(steps)), instance, settings, report)


def _saved_properties(path: Path | None) -> dict[str, str]:
    """Properties of a file; what ``config get`` masked is left out."""
    if path is None:
        return {}
    if files.read_named(path).lstrip().startswith(b"<"):
        return dict(read_profile(path).values)
    entries = parse_properties(files.read_text(path), str(path), raw=True)
    masked = [entry.name for entry in entries if entry.value == MASK and not entry.name.startswith("omero.db.")]
    if masked:
        words = f"{path} doesn't say what {', '.join(masked)} was: set it before you start the server"
        warnings.warn(words, AdminWarning, stacklevel=2)
    return {entry.name: entry.value for entry in entries if entry.value != MASK}


def _original(values: Mapping[str, str]) -> Original:
    """Where the original had its files.

    :raises AdminError: ``managed-outside-mirror``
    """
    data = Path(os.path.normpath(values.get(_DATA, "").strip() or _DEFAULT_DATA))
    # The property's default is written with a reference to the data directory.
    text = values.get(_MANAGED, "").strip().replace(f"${{{_DATA}}}", str(data))
    managed = Path(os.path.normpath(text)) if text else data / "ManagedRepository"
    if not managed.is_relative_to(data):
        raise configuration_error(
            "managed-outside-mirror",
            f"the original had its images in {managed}, which is not in its {_DATA} {data}",
            f"put their copy into the mirror, and {_MANAGED} out of the file of --from-config",
        )
    return Original(data, managed)


def _has_keys(values: Mapping[str, str], original: Original, mirror: Path) -> bool:
    """Whether the mirror holds the certificates that the properties name."""
    directory = values.get(_KEYS_DIRECTORY, "").strip()
    return (
        bool(directory)
        and Path(os.path.normpath(directory)) == original.data / _KEYS
        and (mirror / _KEYS / values.get("omero.glacier2.IceSSL.CertFile", "server.p12")).is_file()
    )


def _new_keys(settings: Settings) -> list[Step]:
    """Steps for certificates; the data directories are planned already, and theirs is among them."""
    plan = plan_certificates(certificate_facts.collect_facts(settings, LocalHost()), CertificateWish())
    return [step for step in plan.steps if not isinstance(step, MakeDirectory)]


def _properties(
    wish: MirrorWish, destination: Destination, saved: Mapping[str, str], original: Original, *, keeps_keys: bool
) -> tuple[dict[str, str], Settings]:
    """All properties of the restored instance, as values and as settings."""
    values = {name: value for name, value in saved.items() if keeps_keys or name not in _KEYS_PROPERTIES}
    values |= relocated(values, {str(original.data): destination.data})
    values[_DATA] = str(destination.data)
    if values.get(TARGET_PROPERTY):
        values[TARGET_PROPERTY] = ""
    if wish.ports_prefix is not None:
        values["omero.ports.prefix"] = wish.ports_prefix
    values.setdefault("omero.db.poolsize", POOL_SIZE)
    values |= database_properties(destination, saved, wish.database, wish.ports_prefix)
    present = read_profile(destination.instance.config_xml).values if destination.instance.config_xml.exists() else {}
    if destination.resumes:
        values |= {name: present[name] for name in _KEYS_PROPERTIES if name in present and not keeps_keys}
    values |= certificate_facts.missing_properties(Settings(values))
    settings = Settings(values)
    settings.port("ssl")
    return values, settings


def _programs(facts: DatabaseFacts, settings: Settings) -> Programs:
    if facts.programs is not None:
        return facts.programs
    with connect(DatabaseAddress.from_settings(settings)) as connection:
        return client_programs(settings, server_major=server_version(connection)[0])
