"""Where a restore goes: what may not be there, and what every restored instance has, wherever its data come from."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from omeroadmin.database import embedded
from omeroadmin.database.connection import DatabaseAddress
from omeroadmin.database.dump import check_restorable
from omeroadmin.database.plan import DatabaseFacts, database_facts
from omeroadmin.database.programs import Programs, find_programs
from omeroadmin.errors import AdminError, configuration_error, usage_error
from omeroadmin.profiles.store import read_profile
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import MakeDirectory
from omeroadmin.steps.plan import Step
from omeroadmin.system import files
from omeroadmin.workflows.driver import instance_driver
from omeroadmin.workflows.install import ExternalDatabase, free_database_port
from omeroadmin.workflows.restore_leftovers import RemoveLeftovers, is_vacant
from omeroadmin.workflows.restore_steps import EmptyDirectory, read_mark


@dataclass(frozen=True)
class Destination:
    """The instance to be made.

    :param source: what is restored, as the mark of an interrupted restore has it: a snapshot's id
    :param data: ``omero.data.dir``
    :param mark: note of which restore is under way or done
    :param resumes: whether the same restore was interrupted here
    """

    source: str
    instance: Instance
    data: Path
    mark: Path
    resumes: bool


def find_destination(into: Path, data_directory: Path | None, source: str) -> Destination:
    """Where a restore goes.

    :param data_directory: ``None``: beside the instance, named after it
    :param source: what is restored
    """
    real = Path(os.path.realpath(into))
    data = Path(os.path.realpath(data_directory or real.with_name(f"{real.name}-data")))
    instance = Instance(real)
    mark = instance.var / "restore.json"
    return Destination(source, instance, data, mark, _is_interrupted(mark, source, data))


def find_files_destination(into: Path, data_directory: Path | None, source: str) -> Destination:
    """Where files go that are no instance.

    :param data_directory: ``None``: the directory itself
    :param source: what is restored
    """
    data = Path(os.path.realpath(data_directory or into))
    mark = data / ".omero-restore.json"
    return Destination(source, Instance(Path(os.path.realpath(into))), data, mark, _is_interrupted(mark, source, data))


def _is_interrupted(mark: Path, source: str, data: Path) -> bool:
    return _is_marked(mark, source, data, finished=False)


def _is_marked(mark: Path, source: str, data: Path, *, finished: bool) -> bool:
    wanted = {"snapshot": source, "data": str(data), "finished": finished}
    return wanted.items() <= read_mark(mark).items()


def refuse_unsuitable(
    destination: Destination,
    places: Iterable[Path],
    source: Path | None,
    *,
    overwrite: bool,
    originals: Iterable[str] = (),
) -> None:
    """Make sure that a restore touches nothing that it wasn't asked to.

    :param places: directories that it fills
    :param source: where it reads; ``None``: elsewhere
    :param originals: directories that were saved, in which no other instance is to be made
    :raises AdminError: ``restore-into-invalid``, ``restore-into-target``, ``restore-into-original``,
        ``restore-over-existing``, ``restore-done``, ``restore-over-running``, ``file-not-read``
    """
    for place in (destination.instance.omerodir, destination.data):
        _refuse_odd(place)
        if not (destination.resumes or overwrite):
            _refuse_below(place, originals)
    try:
        _refuse_filled(destination, places, source, overwrite=overwrite)
    except OSError as error:
        raise files.file_error("read", Path(str(error.filename)), error) from error
    into = destination.instance.omerodir
    if instance_driver(destination.instance).node_process() is not None:
        raise configuration_error(
            "restore-over-running",
            f"the server in {into} is running",
            f"omero --omerodir {into} admin stop",
        )


def _refuse_odd(place: Path) -> None:
    """PostgreSQL keeps its directory in a line of a file, and doesn't start in one whose name has two."""
    if not os.fsencode(place).decode(errors="replace").isprintable():
        raise usage_error("restore-into-invalid", f"{str(place)!r} has control characters", "choose another name")


def _refuse_below(place: Path, originals: Iterable[str]) -> None:
    """A server below another one's data would be saved with them, and cleansed as what no row names."""
    for original in originals:
        root = Path(os.path.realpath(original))
        if place != root and place.is_relative_to(root) and root.is_dir():
            raise configuration_error(
                "restore-into-original",
                f"{place} lies in {original}, which is the original's and is there",
                "choose directories outside with --into and --data-dir",
            )


def _refuse_filled(destination: Destination, places: Iterable[Path], source: Path | None, *, overwrite: bool) -> None:
    into, root = destination.instance.omerodir, None if source is None else Path(os.path.realpath(source))
    for place in (into, *places):
        if root is not None and (place.is_relative_to(root) or root.is_relative_to(place)):
            raise configuration_error(
                "restore-into-target",
                f"{place} and {source}, which is restored, lie in each other",
                "choose another --into",
            )
        if place.is_dir() and not (destination.resumes or overwrite or is_vacant(place)):
            raise _done(destination) if _is_done(destination) else _existing(place)


def _is_done(destination: Destination) -> bool:
    return _is_marked(destination.mark, destination.source, destination.data, finished=True)


def _done(destination: Destination) -> AdminError:
    into = destination.instance.omerodir
    return configuration_error(
        "restore-done",
        f"{destination.source} was restored here already, to the end; nothing was changed",
        f"start it: omero --omerodir {into} admin start; or restore it once more with --overwrite",
    )


def _existing(place: Path) -> AdminError:
    return configuration_error(
        "restore-over-existing",
        f"{place} is there already and not empty; nothing was changed",
        "choose other directories with --into and --data-dir, or replace what is there with --overwrite",
    )


def database_properties(
    destination: Destination, values: Mapping[str, str], external: ExternalDatabase | None, ports_prefix: str | None
) -> dict[str, str]:
    """Properties of the restored instance's database.

    :param values: properties of the original
    :param external: ``None``: a PostgreSQL of the instance's own, with a port and a password of its own
    :param ports_prefix: ``None``: as in the original
    :raises AdminError: ``database-port-taken``
    """
    if external is not None:
        return {
            "omero.db.embedded": "false",
            "omero.db.host": external.host,
            "omero.db.port": str(external.port),
            "omero.db.name": external.name,
            "omero.db.user": external.user,
            "omero.db.pass": external.password,
        }
    config_xml = destination.instance.config_xml
    present = read_profile(config_xml).values if config_xml.exists() else {}
    reuse = present.get("omero.db.embedded") == "true" and present.get("omero.data.dir") == str(destination.data)
    prefix = ports_prefix if ports_prefix is not None else values.get("omero.ports.prefix", "")
    return {
        "omero.db.embedded": "true",
        "omero.db.host": "127.0.0.1",
        "omero.db.port": present["omero.db.port"] if reuse else str(free_database_port(prefix)),
        "omero.db.name": values.get("omero.db.name", "omero"),
        "omero.db.user": values.get("omero.db.user", "omero"),
        # A new one each time: what a killed restore has left running can't log in again.
        "omero.db.pass": secrets.token_urlsafe(24),
    }


def restored_database_facts(instance: Instance, settings: Settings) -> DatabaseFacts:
    """What there is of the database; it is made anew, so nobody asks a cluster of the instance's own what it holds.

    :raises AdminError: as :func:`omeroadmin.database.plan.database_facts`
    """
    if not embedded.is_embedded(settings):
        return database_facts(instance, settings)
    cluster = embedded.cluster_of(instance)
    programs = find_programs(settings, cluster=cluster.data)
    return DatabaseFacts(DatabaseAddress.from_settings(settings), programs, cluster.exists, False, False, None)


def holds_part(destination: Destination, facts: DatabaseFacts, programs: Programs) -> bool:
    """Whether a database that others run may hold a part of what is restored, left by the interrupted restore.

    That restore found it empty and noted its name. Any other must be empty now, before hours are spent on files.

    :raises AdminError: ``database-not-empty``, ``postgresql-too-old``, and those of the connection
    """
    if facts.programs is not None:
        return False
    if destination.resumes and read_mark(destination.mark).get("database") == str(facts.address):
        return True
    check_restorable(facts.address, programs)
    return False


def interrupted_leftovers(destination: Destination) -> list[Step]:
    """A step that clears away what the same restore left when it was killed."""
    return [RemoveLeftovers(destination.instance)] if destination.resumes else []


def missing_directories(instance: Instance) -> list[Step]:
    """Steps for the directories that an instance has."""
    wanted = {
        instance.omerodir: 0o755,
        instance.etc: 0o700,
        instance.grid_directory: 0o700,
        instance.var: 0o700,
        instance.log_directory: 0o700,
        instance.temporary_directory: 0o700,
        instance.run_directory: 0o700,
        instance.scripts_directory.parent: 0o755,
        instance.scripts_directory: 0o755,
    }
    return [MakeDirectory(path, mode) for path, mode in wanted.items() if not path.is_dir()]


def empty_index(data: Path) -> list[Step]:
    """A step that lets the Indexer start over where there is an index."""
    index = data / "FullText"
    return [EmptyDirectory(index)] if index.is_dir() and any(index.iterdir()) else []
