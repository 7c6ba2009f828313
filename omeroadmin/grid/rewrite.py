"""``admin rewrite``: the grid's files rendered from the settings, as a plan of the files that change."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from omeroadmin.grid.distribution import render_distribution, template_directory
from omeroadmin.grid.expansion import escape
from omeroadmin.grid.instances import checked_node, plan_nodes
from omeroadmin.grid.model import MASTER
from omeroadmin.grid.overrides import glacier2_tls, service_overrides
from omeroadmin.grid.ports import client_endpoints, client_host, endpoint_host, master_host, node_host
from omeroadmin.grid.publishing import plan_publishing
from omeroadmin.grid.reference_servers import HEAP_SERVERS, PYTHON_SERVERS, HeapServer
from omeroadmin.render.engine import render
from omeroadmin.schema.catalog import default_of
from omeroadmin.schema.catalog import settings as declared_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.steps.plan import Plan
from omeroadmin.system.files import PLAIN_MODE, SECRET_MODE
from omeroadmin.system.together import SetFile

REGISTRY_DATA = "IceGrid.Registry.Data"
"""Property of the registry's directory, as OMERO's own tools read it."""

NO_ENDPOINT: Mapping[str, str] = MappingProxyType({})
"""For a grid of one host."""


def plan_rewrite(
    instance: Instance,
    settings: Settings,
    memory_options: Mapping[str, tuple[str, ...]],
    *,
    python: str = sys.executable,
    registry_data: str = REGISTRY_DATA,
    endpoint: Mapping[str, str] = NO_ENDPOINT,
    force: bool = False,
) -> Plan:
    """The steps that make the files what the settings ask for, all of them together.

    :param memory_options: options of each service, by its name in ``omero.jvmcfg.*``
    :param python: the interpreter that runs the servers
    :param registry_data: what the installed IceGrid calls the property of the registry's directory
    :param endpoint: what servers on other hosts need to know to reach the master's; goes to all servers
    :param force: write also what is as it should be
    :raises AdminError: ``setting-invalid``, ``port-invalid``, ``template-invalid``, ``file-not-read``, and, for a
        distribution's templates, ``template-missing``, ``template-outdated``, ``documented-unparsable``
    """
    rendered = render_files(
        instance, settings, memory_options, python=python, registry_data=registry_data, endpoint=endpoint
    )
    # The password of the certificates stands in templates.xml.
    modes = {instance.templates_xml: SECRET_MODE}
    files = [
        SetFile(path.relative_to(instance.etc).as_posix(), text.encode(), modes.get(path, PLAIN_MODE))
        for path, text in rendered.items()
    ]
    configurations = [f"{node}.cfg" for node in _worker_nodes(rendered)]
    return plan_publishing(instance, files, configurations, force=force)


def render_files(
    instance: Instance,
    settings: Settings,
    memory_options: Mapping[str, tuple[str, ...]],
    *,
    python: str,
    registry_data: str = REGISTRY_DATA,
    endpoint: Mapping[str, str] = NO_ENDPOINT,
) -> dict[Path, str]:
    """All files of the grid with the content that they should have; those of a distribution are from its own templates.

    :raises AdminError: as :func:`plan_rewrite`
    """
    if template_directory(instance) is not None:
        own = render_distribution(instance, settings, memory_options)
        rendered = {instance.etc / name: text for name, text in own.items()}
    else:
        context = {
            **_context(settings, memory_options, python),
            "registry_data": registry_data,
            "endpoint": [(name, escape(value)) for name, value in endpoint.items()],
        }
        templates = {
            instance.master_cfg: "master.cfg",
            instance.internal_cfg: "internal.cfg",
            instance.ice_config: "ice.config",
            instance.templates_xml: "templates.xml",
            instance.default_xml: "default.xml",
        }
        rendered = {path: render(f"grid/{name}.j2", context) for path, name in templates.items()}
    for node in _worker_nodes(rendered):
        rendered[instance.etc / f"{node}.cfg"] = _node_configuration(settings, node)
    return rendered


def _worker_nodes(rendered: Mapping[Path, str]) -> list[str]:
    """Nodes beside the master that the rendered application has, whatever its targets."""
    from lxml import etree

    application = next(text for path, text in rendered.items() if path.name == "default.xml")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(application.encode(), parser)
    names = (str(node.get("name")) for node in root.iterfind("application/node"))
    return list(dict.fromkeys(name for name in names if name != MASTER))


def _node_configuration(settings: Settings, node: str) -> str:
    context = {
        "name": checked_node(node),
        "host": endpoint_host(node_host(settings, node)),
        "master_host": endpoint_host(master_host(settings)),
        "ports": {"registry": settings.port("registry")},
    }
    return render("grid/node.cfg.j2", context)


def _context(settings: Settings, memory_options: Mapping[str, tuple[str, ...]], python: str) -> dict[str, object]:
    host = endpoint_host(master_host(settings))
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
        "icessl": glacier2_tls(settings),
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
        "overrides": service_overrides(server.service, settings, _for_one_service(server.service, settings)),
    }


def _for_one_service(service: str, settings: Settings) -> list[str]:
    """Properties of a service: whatever is set, and declared defaults of its own."""
    declared = (name for name in declared_settings() if default_of(name.removesuffix(f".{service}")) is not None)
    return list(dict.fromkeys((*declared, *settings)))
