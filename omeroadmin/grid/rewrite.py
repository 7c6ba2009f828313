"""``admin rewrite``: the grid's files rendered from the settings, as a plan of the files that change."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from omeroadmin.grid.expansion import escape
from omeroadmin.grid.instances import plan_nodes
from omeroadmin.grid.ports import client_endpoints, client_host, master_host
from omeroadmin.grid.reference_servers import HEAP_SERVERS, PYTHON_SERVERS, HeapServer
from omeroadmin.render.engine import render
from omeroadmin.schema.catalog import settings as declared_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.kinds import WriteFile
from omeroadmin.steps.plan import Plan
from omeroadmin.system.files import PLAIN_MODE, SECRET_MODE, read_bytes

REGISTRY_DATA = "IceGrid.Registry.Data"
"""Property of the registry's directory, as OMERO's own tools read it."""

_ICESSL = "omero.glacier2.IceSSL."
_MEMORY = "omero.jvmcfg."


def plan_rewrite(
    instance: Instance,
    settings: Settings,
    memory_options: Mapping[str, tuple[str, ...]],
    *,
    python: str = sys.executable,
    registry_data: str = REGISTRY_DATA,
    force: bool = False,
) -> Plan:
    """The files that differ from what the settings ask for.

    :param memory_options: options of each service, by its name in ``omero.jvmcfg.*``
    :param python: the interpreter that runs the servers
    :param registry_data: what the installed IceGrid calls the property of the registry's directory
    :param force: write also what is as it should be
    :raises AdminError: ``setting-invalid``, ``port-invalid``, ``template-invalid``
    """
    rendered = render_files(instance, settings, memory_options, python=python, registry_data=registry_data)
    # The password of the certificates stands in templates.xml.
    modes = {instance.templates_xml: SECRET_MODE}
    steps = tuple(
        WriteFile(path, text.encode(), modes.get(path, PLAIN_MODE))
        for path, text in rendered.items()
        if force or not path.exists() or read_bytes(path) != text.encode()
    )
    return Plan(f"rewrite the grid's configuration in {instance.etc}", steps)


def render_files(
    instance: Instance,
    settings: Settings,
    memory_options: Mapping[str, tuple[str, ...]],
    *,
    python: str,
    registry_data: str = REGISTRY_DATA,
) -> dict[Path, str]:
    """All files of the grid with the content that they should have.

    :raises AdminError: ``setting-invalid``, ``port-invalid``, ``template-invalid``
    """
    context = {**_context(settings, memory_options, python), "registry_data": registry_data}
    templates = {
        instance.master_cfg: "master.cfg",
        instance.internal_cfg: "internal.cfg",
        instance.ice_config: "ice.config",
        instance.templates_xml: "templates.xml",
        instance.default_xml: "default.xml",
    }
    return {path: render(f"grid/{name}.j2", context) for path, name in templates.items()}


def _context(settings: Settings, memory_options: Mapping[str, tuple[str, ...]], python: str) -> dict[str, object]:
    host = master_host(settings)
    nodes = plan_nodes(settings, escape(client_endpoints(settings)), f"tcp -h {host}")
    return {
        "python": escape(python),
        "master_host": host,
        "client_host": client_host(settings),
        "ports": {name: settings.port(name) for name in ("ssl", "tcp", "registry")},
        # The client, not the server, knows by which name it reached the host.
        "insecure_router": f"OMERO.Glacier2/router:tcp -p {settings.port('tcp')} -h @omero.host@",
        "nodes": [{"name": node.name, "instances": node.instances} for node in nodes],
        "heap_servers": [_heap_server(server, settings, memory_options) for server in HEAP_SERVERS],
        "python_servers": PYTHON_SERVERS,
        "icessl": _icessl(settings),
    }


def _heap_server(
    server: HeapServer, settings: Settings, memory_options: Mapping[str, tuple[str, ...]]
) -> dict[str, object]:
    return {
        "name": server.name,
        "parameters": server.parameters,
        "property_sets": server.property_sets,
        "properties": server.properties,
        "identity": server.identity,
        "type": server.type,
        "replica_group": server.replica_group,
        "memory": [escape(option) for option in memory_options[server.service]],
        "overrides": _overrides(server.service, settings),
    }


def _overrides(service: str, settings: Settings) -> list[tuple[str, str]]:
    """Properties given for one service only, such as ``omero.throttling.method_time.warn.indexer``."""
    ending = f".{service}"
    names = dict.fromkeys((*declared_settings(), *settings))
    return [
        (name.removesuffix(ending), escape(settings.text(name)))
        for name in names
        if name.endswith(ending) and not name.startswith(_MEMORY) and name.removesuffix(ending) in names
    ]


def _icessl(settings: Settings) -> list[tuple[str, str]]:
    """The TLS properties of OMERO.Glacier2 under the names that it knows; empty defaults say nothing."""
    names = dict.fromkeys((*declared_settings(), *settings))
    return [
        (name.removeprefix("omero.glacier2."), escape(settings.text(name)))
        for name in names
        if name.startswith(_ICESSL) and (settings.is_set(name) or settings.text(name))
    ]
