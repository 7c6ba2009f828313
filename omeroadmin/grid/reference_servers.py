"""The servers of a reference instance, as the templates of ``etc/grid/templates.xml`` describe them.

Ids, template names, parameters, adapters and well-known objects are OMERO's; the programs are the reference runtime's.
"""

from __future__ import annotations

from dataclasses import dataclass

Parameters = tuple[tuple[str, str | None], ...]
"""Names of a template's parameters with their defaults; ``None`` where there is none."""


@dataclass(frozen=True)
class HeapServer:
    """A server whose memory OMERO's strategies decide; there may be several, told apart by an index.

    :param name: e.g. ``Blitz``; its lower case is the service's name in ``omero.jvmcfg.*``
    :param parameters: of the template, besides the index
    :param property_sets: besides those of every server
    """

    name: str
    parameters: Parameters = ()
    property_sets: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    identity: str = ""
    type: str = ""
    replica_group: str = ""

    @property
    def service(self) -> str:
        """Name of the service in properties."""
        return self.name.lower()


@dataclass(frozen=True)
class PythonServer:
    """A server that is Python in OMERO, too.

    :param template: name of its template, without "Template"
    :param id: of the server
    :param kind: what the runtime calls it
    :param adapter: name of its object adapter
    """

    template: str
    id: str
    kind: str
    adapter: str
    parameters: Parameters = ()
    property_sets: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()
    identity: str = ""
    type: str = ""
    activation: str = "always"
    exe: str = "${PYTHON}"


_DIRECTORY: Parameters = (("dir", None),)
_INDEX_AND_DIRECTORY: Parameters = (("index", None), ("dir", None))

HEAP_SERVERS: tuple[HeapServer, ...] = (
    HeapServer(
        "Blitz",
        (("config", "default"), ("jmxhost", ""), ("jmxport", "3001")),
        ("Blitz",),
        (("omero.config", "${config}"),),
        replica_group="BlitzAdapters",
    ),
    HeapServer("Indexer", (("jmxhost", ""), ("jmxport", "3002"))),
    HeapServer("PixelData", (*_DIRECTORY, ("jmxhost", ""), ("jmxport", "3003")), properties=(("omero.dir", "${dir}"),)),
    HeapServer(
        "Repository",
        _DIRECTORY,
        ("Repository",),
        (("omero.repo.dir", "${dir}"),),
        "InternalRepository-${dir}",
        "::omero::grid::InternalRepository",
    ),
)

PYTHON_SERVERS: tuple[PythonServer, ...] = (
    PythonServer(
        "Processor",
        "Processor-${index}",
        "Processor",
        "ProcessorAdapter",
        (*_INDEX_AND_DIRECTORY, ("exe", "${PYTHON}")),
        properties=(("omero.dir", "${dir}"),),
        identity="Processor-${index}",
        type="::omero::grid::Processor",
        exe="${exe}",
    ),
    PythonServer(
        "Tables",
        "Tables-${index}",
        "Tables",
        "TablesAdapter",
        _INDEX_AND_DIRECTORY,
        ("Repository",),
        (("omero.tables.module", "${TABLES_MODULE}"), ("omero.dir", "${dir}")),
        "Tables-${index}",
        "::omero::grid::Tables",
    ),
    PythonServer("FileServer", "FileServer", "FileServer", "omerofs.FileServer"),
    PythonServer("MonitorServer", "MonitorServer", "MonitorServer", "omerofs.MonitorServer"),
    PythonServer("DropBox", "DropBox", "DropBox", "omerofs.DropBox", property_sets=("DropBox",)),
    PythonServer(
        "TestDropBox",
        "TestDropBox",
        "TestDropBox",
        "omerofs.TestDropBox",
        property_sets=("DropBox",),
        properties=(("omero.fstest.config", "etc/testdropbox.config"),),
        activation="manual",
    ),
)

MASTER_INSTANCES: tuple[str, ...] = (
    "Glacier2",
    "Blitz-0",
    "Indexer-0",
    "DropBox",
    "MonitorServer",
    "FileServer",
    "Storm",
    "PixelData-0",
    "Processor-0",
    "Tables-0",
    "TestDropBox",
)
"""What the master node runs, in this order, unless ``omero.server.nodedescriptors`` says otherwise."""

WITH_DIRECTORY = frozenset({"PixelData", "Processor", "Tables", "Repository"})
"""Templates with the parameter ``dir``."""

INDEXED = frozenset({"Blitz", "Indexer", "PixelData", "Repository", "Processor", "Tables"})
"""Templates with the parameter ``index``."""

TEMPLATES = frozenset({"Glacier2", "Storm"} | {s.name for s in HEAP_SERVERS} | {s.template for s in PYTHON_SERVERS})
"""All templates."""
