"""What of an instance belongs into a backup, and where a manifest has it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.backups import rows
from omeroadmin.backups.engines.engine import Engine
from omeroadmin.backups.scan import REBUILDABLE, Root
from omeroadmin.backups.snapshot import Snapshot
from omeroadmin.database import embedded
from omeroadmin.errors import configuration_error
from omeroadmin.grid.driver import driver_for
from omeroadmin.repository.layout import read_repository_uuid
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings

if TYPE_CHECKING:
    from psycopg import Connection

DATA = "data"
MANAGED = "managed"
CERTIFICATES = "certs"
SCRIPTS = "scripts"

_CERTIFICATES_PROPERTY = "omero.glacier2.IceSSL.DefaultDir"


@dataclass(frozen=True)
class Scope:
    """The trees to save.

    :param roots: trees by the names that the manifest gives them
    :param managed: where the manifest has the managed repository
    :param keys: private keys that are saved apart from the trees; ``None``: they are among them, or not saved
    """

    roots: tuple[Root, ...]
    managed: str
    keys: Root | None = None

    @property
    def saved(self) -> tuple[Root, ...]:
        """All trees that are saved, one way or the other."""
        return self.roots if self.keys is None else (*self.roots, self.keys)

    def has_recorded_hash(self, path: str) -> bool:
        """Whether OMERO may have recorded a SHA-1 for a path of the manifest."""
        return path.startswith((f"{self.managed}/", f"{DATA}/Files/"))


def scope_of(instance: Instance, settings: Settings, *, certificates: bool, keys_apart: bool = False) -> Scope:
    """What is to be saved of an instance.

    :param certificates: whether private keys are among it
    :param keys_apart: whether these are no tree like the others
    :raises AdminError: ``data-directory-missing``, ``setting-invalid``
    """
    data, managed = settings.data_directory.absolute(), settings.managed_repository.absolute()
    if not data.is_dir():
        raise configuration_error(
            "data-directory-missing",
            f"omero.data.dir is {data}, which is not a directory",
            "correct it: omero config set omero.data.dir DIR",
        )
    skip = {*REBUILDABLE} if certificates and not keys_apart else {*REBUILDABLE, "certs"}
    roots = [Root(DATA, data, frozenset(skip))]
    relative = os.path.relpath(managed, data)
    if relative.startswith(".."):
        roots.append(Root(MANAGED, managed))
    if instance.scripts_directory.is_dir():
        roots.append(Root(SCRIPTS, instance.scripts_directory))
    place = MANAGED if relative.startswith("..") else f"{DATA}/{relative}"
    keys = certificate_directory(settings)
    if certificates and keys_apart:
        apart = Root(CERTIFICATES, keys or data / "certs")
        return Scope(tuple(roots), place, apart if apart.directory.is_dir() else None)
    if certificates and keys is not None and keys.is_dir():
        roots.append(Root(CERTIFICATES, keys))
    return Scope(tuple(roots), place)


def managed_place(snapshot: Snapshot) -> str:
    """Where the manifest of a snapshot has the managed repository."""
    if MANAGED in snapshot.roots:
        return MANAGED
    inside = (place for place in snapshot.repositories.values() if place.startswith(f"{DATA}/"))
    return next(inside, f"{DATA}/ManagedRepository")


def certificate_directory(settings: Settings) -> Path | None:
    """Directory of the keys where it lies outside the data directory."""
    text = settings.text(_CERTIFICATES_PROPERTY).strip()
    if not text or Path(text).absolute().is_relative_to(settings.data_directory.absolute()):
        return None
    return Path(text).absolute()


def refuse_inside(engine: Engine, scope: Scope) -> None:
    """A target must not lie in what it is to save.

    :raises AdminError: ``backup-target-inside``
    """
    if engine.local is None:
        return
    real = Path(os.path.realpath(engine.local))
    for tree in scope.roots:
        if real.is_relative_to(os.path.realpath(tree.directory)):
            raise configuration_error(
                "backup-target-inside",
                f"backup target {engine.address} lies in {tree.directory}, which is to be backed up",
                "choose a target outside, best on another disk",
            )


def repository_prefixes(connection: Connection[Any], settings: Settings, scope: Scope) -> dict[str, str]:
    """Where the manifest has the files of each repository that the database knows, by UUID.

    A repository is known by the marker on the disk and by the location that the database has for it.

    :raises AdminError: ``marker-invalid``, ``file-not-read``
    """
    places = {settings.managed_repository.absolute(): scope.managed, settings.data_directory.absolute(): DATA}
    prefixes: dict[str, str] = {}
    database_uuid = rows.database_uuid(connection)
    for uuid, location in rows.registered_repositories(connection).items():
        prefix = places.get(Path(os.path.normpath(location)))
        if prefix is not None:
            prefixes[uuid] = prefix
    for place, prefix in places.items():
        uuid_on_disk = read_repository_uuid(place, database_uuid) if database_uuid else None
        if uuid_on_disk is not None:
            prefixes[uuid_on_disk] = prefix
    return prefixes


@contextlib.contextmanager
def database_up(instance: Instance, settings: Settings) -> Iterator[None]:
    """The instance's own PostgreSQL runs inside the block; one that was stopped is stopped again.

    :raises AdminError: as :func:`omeroadmin.database.embedded.start`
    """
    if not embedded.is_embedded(settings) or embedded.status(instance).running:
        yield
        return
    embedded.start(instance, settings)
    try:
        yield
    finally:
        # Somebody may have started the server meanwhile, which now lives by this database.
        if driver_for(instance, settings).node_process() is None:
            embedded.stop(instance, settings)
