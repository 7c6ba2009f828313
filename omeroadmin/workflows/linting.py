"""``config lint``: gathers what is known of a profile, the machine and the disk, and applies the rules to it."""

from __future__ import annotations

import dataclasses
import os
import pwd
import shlex
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from omeroadmin.errors import AdminError
from omeroadmin.profiles.lint.model import LintFacts, LintReport, PlaceFacts
from omeroadmin.profiles.lint.places import places
from omeroadmin.profiles.lint.registry import findings
from omeroadmin.profiles.reader import Profile
from omeroadmin.schema.catalog import settings as declared
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

_NODES = "omero.server.nodedescriptors"
_FACTORS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def lint_profile(instance: Instance | None, profile: Profile, config_xml: Path | None = None) -> LintReport:
    """Everything that is wrong with a profile; nothing needs to run for it, and nothing is changed.

    :param instance: where relative paths begin; ``None`` where that isn't known
    :param config_xml: the file that holds the profile, where it isn't the instance's
    """
    facts = collect_facts(instance, profile, config_xml)
    return LintReport(profile.name, facts.config_xml, len(profile.values), findings(facts))


def collect_facts(instance: Instance | None, profile: Profile, config_xml: Path | None = None) -> LintFacts:
    """What the rules may know.

    :param config_xml: the file that holds the profile, where it isn't the instance's
    """
    own = instance.config_xml if instance is not None else Path("config.xml")
    file = config_xml or own
    settings = Settings(profile.values)
    owner = _owner(file)
    heaps, heap_problem, memory = _memory(settings)
    facts = LintFacts(
        explicit=profile.values,
        values=dict(_values(settings)),
        config_xml=file,
        command="omero config" if file == own else f"omero config --source {shlex.quote(str(file))}",
        omerodir=None if instance is None else instance.omerodir,
        user=_user_name(owner),
        templates=_templates(instance) if profile.values.get(_NODES, "").strip() else {},
        heaps=heaps,
        heap_problem=heap_problem,
        memory=memory,
        connections=_connections(instance, settings),
        local_hosts=_local_hosts(),
        variables=frozenset(os.environ),
    )
    found = {place.path: _look(place.path, owner) for place in places(facts)}
    return dataclasses.replace(facts, places={**found, file: _look(file, owner)})


def _values(settings: Settings) -> Iterator[tuple[str, str]]:
    for name in {**declared(), **settings.explicit()}:
        try:
            yield name, settings.text(name)
        except (AdminError, RecursionError):
            # What refers to itself has no value; a rule of its own says so.
            continue


def _memory(settings: Settings) -> tuple[dict[str, int], str, int]:
    """Heaps by service, or what is wrong with their settings; and the memory of the machine, all in bytes."""
    from omeroadmin.memory.facts import system_memory_megabytes
    from omeroadmin.memory.strategies import memory_options

    megabytes = system_memory_megabytes()
    try:
        options = memory_options(settings, megabytes)
    except (AdminError, RecursionError) as error:
        return {}, str(error), megabytes * 1_000_000
    return {service: _heap(words[0]) for service, words in options.items()}, "", megabytes * 1_000_000


def _heap(option: str) -> int:
    size = option.removeprefix("-Xmx")
    return int(size[:-1]) * _FACTORS[size[-1]]


def _templates(instance: Instance | None) -> Mapping[str, bool]:
    from omeroadmin.grid.templates import known_servers

    return known_servers(instance)


def _connections(instance: Instance | None, settings: Settings) -> int | None:
    """What the instance's own PostgreSQL accepts; that of another one isn't known without asking it."""
    from omeroadmin.database.limits import max_connections

    try:
        return max_connections(instance) if instance is not None and settings.flag("omero.db.embedded") else None
    except (AdminError, RecursionError):
        return None


def _local_hosts() -> frozenset[str]:
    import psutil

    addresses = {address.address for found in psutil.net_if_addrs().values() for address in found}
    name = socket.gethostname().lower()
    return frozenset({"localhost", "::1", "127.0.0.1", name, name.partition(".")[0], *addresses})


def _owner(file: Path) -> int:
    """Who runs the server, most likely: nobody else may write the file."""
    try:
        return file.stat().st_uid
    except OSError:
        return os.geteuid()


def _user_name(owner: int) -> str:
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return str(owner)


def _look(path: Path, owner: int) -> PlaceFacts:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return PlaceFacts(exists=False)
    except (OSError, ValueError):
        return PlaceFacts(exists=None)
    is_directory = path.is_dir()
    facts = PlaceFacts(
        exists=True, is_directory=is_directory, is_own=found.st_uid == owner, mode=found.st_mode & 0o7777
    )
    if os.geteuid() != owner:
        return facts
    enter = os.X_OK if is_directory else 0
    return dataclasses.replace(
        facts, readable=os.access(path, os.R_OK | enter), writable=os.access(path, os.W_OK | enter)
    )
