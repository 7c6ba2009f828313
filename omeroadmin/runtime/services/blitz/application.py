"""All services of one Blitz, made once at its start."""

from __future__ import annotations

from dataclasses import dataclass

from omeroadmin.runtime.services.blitz.database import Database
from omeroadmin.runtime.services.blitz.services.admin.administration import Administration, administration
from omeroadmin.runtime.services.blitz.services.filestore.service import FileStore
from omeroadmin.runtime.services.blitz.services.graph.service import Graph
from omeroadmin.runtime.services.blitz.services.imports import Imports
from omeroadmin.runtime.services.blitz.services.importtargets import ImportTargets
from omeroadmin.runtime.services.blitz.services.logins import Logins, Throttle
from omeroadmin.runtime.services.blitz.services.memorysessions import MemorySessions
from omeroadmin.runtime.services.blitz.services.objects.service import Objects
from omeroadmin.runtime.services.blitz.services.pixels import PixelsStore
from omeroadmin.runtime.services.blitz.services.query import Query
from omeroadmin.runtime.services.blitz.services.readonly import ReadOnly
from omeroadmin.runtime.services.blitz.services.removals import Removals
from omeroadmin.runtime.services.blitz.services.repositories import Repositories
from omeroadmin.runtime.services.blitz.services.scripts import Scripts
from omeroadmin.runtime.services.blitz.services.search import Search
from omeroadmin.runtime.services.blitz.services.sessions import Sessions
from omeroadmin.runtime.services.blitz.services.tables import Tables
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.version import VERSION


@dataclass(frozen=True)
class Identity:
    """Who answers.

    :param version: of the server
    :param heap_bytes: value of ``-Xmx``
    """

    server_id: str
    version: str
    database_uuid: str
    heap_bytes: int | None
    node_id: int
    node_uuid: str


@dataclass(frozen=True)
class Blitz:
    """The services; none of them knows how requests arrive."""

    identity: Identity
    read_only: ReadOnly
    database: Database
    repositories: Repositories
    sessions: Sessions
    logins: Logins
    throttle: Throttle
    admin: Administration
    query: Query
    filestore: FileStore
    imports: Imports
    targets: ImportTargets
    search: Search
    scripts: Scripts
    tables: Tables
    pixels: PixelsStore
    objects: Objects
    graph: Graph
    removals: Removals


def server_version(settings: Settings) -> str:
    """``omero.version`` where a distribution sets it, else this package's."""
    return settings.text("omero.version").strip() or VERSION


def assemble(
    identity: Identity,
    read_only: ReadOnly,
    database: Database,
    repositories: Repositories,
    settings: Settings,
    instance: Instance,
) -> Blitz:
    """Make all services.

    :raises AdminError: ``setting-invalid``, ``path-rules-invalid``, ``checksum-unknown``
    """
    query = Query(database, settings, repositories)
    removals = Removals(database, repositories, enabled=not read_only.any)
    return Blitz(
        identity=identity,
        read_only=read_only,
        database=database,
        repositories=repositories,
        sessions=(
            MemorySessions(database, settings) if read_only.database else Sessions(database, settings, identity.node_id)
        ),
        logins=Logins(database, settings, may_write=not read_only.database),
        throttle=Throttle(
            settings.number("omero.security.login_failure_throttle_count"),
            settings.number("omero.security.login_failure_throttle_time"),
        ),
        admin=administration(database, settings),
        query=query,
        filestore=FileStore(database, settings, repositories, identity.server_id),
        imports=Imports(database, settings, repositories.managed, identity.server_id),
        targets=ImportTargets(database),
        search=Search(instance, database),
        scripts=Scripts(
            database, instance.scripts_directory, settings.data_directory, settings.number("omero.scripts.lease")
        ),
        tables=Tables(database, instance, settings),
        pixels=PixelsStore(database),
        objects=Objects(database, lower_case=settings.flag("omero.security.ignore_case")),
        graph=Graph(database, repositories, removals),
        removals=removals,
    )
