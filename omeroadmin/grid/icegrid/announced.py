"""What the registry says of its nodes, for hosts that have no descriptor of their own."""

from __future__ import annotations

import re

from omeroadmin.grid.icegrid.admin import IceGridAdmin
from omeroadmin.grid.icegrid.deployment import DeployedServer, Deployment

_NODE = re.compile(r"^ {4}node `(?P<name>[^']+)'\n {4}\{\n(?P<body>(?: {5,}.*\n)*?) {4}\}$", re.MULTILINE)
_SERVERS = re.compile(r"^ {8}servers\n {8}\{\n(?P<names>(?: {9,}.*\n)*?) {8}\}$", re.MULTILINE)


def announced(admin: IceGridAdmin) -> Deployment:
    """The nodes and servers of the application that the registry was given; none where it has none yet.

    :raises AdminError: ``icegrid-missing``, ``node-down``, ``node-silent``
    :raises RefusedError: with what the registry says
    """
    names = admin.words("application list")
    if not names:
        return Deployment()
    # It holds all properties of the grid, too: it is read here and shown nowhere.
    lines = admin.words(f"application describe '{names[0]}'")
    return Deployment(names[0], (), parse_nodes("".join(f"{line}\n" for line in lines)))


def parse_nodes(text: str) -> tuple[DeployedServer, ...]:
    """The servers of each node, from an answer to ``application describe``."""
    servers = []
    for node in _NODE.finditer(text):
        found = _SERVERS.search(node["body"])
        names = found["names"].split() if found else []
        servers += [DeployedServer(name, node["name"]) for name in names]
    return tuple(servers)
