"""Which servers run on which node: OMERO's default, or what ``omero.server.nodedescriptors`` says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.grid.model import MASTER
from omeroadmin.grid.reference_servers import INDEXED, MASTER_INSTANCES, TEMPLATES, WITH_DIRECTORY
from omeroadmin.schema.settings import Settings

NODE_DESCRIPTORS = "omero.server.nodedescriptors"
REFERENCE: Mapping[str, bool] = MappingProxyType({name: name in INDEXED for name in sorted(TEMPLATES)})
"""Servers of a reference instance, and whether each needs an index."""

_ALWAYS = "Glacier2"
_NODE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_TAKEN = frozenset({"internal", "registry", "log", "run", "tmp", "static", "postgresql"})
"""Names that other files below etc and directories below var have."""

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class NodeInstances:
    """A node of the descriptor.

    :param instances: attributes of each ``<server-instance>``, in order
    """

    name: str
    instances: tuple[Attributes, ...]


def plan_nodes(
    settings: Settings, client_endpoints: str, server_endpoints: str, known: Mapping[str, bool] = REFERENCE
) -> tuple[NodeInstances, ...]:
    """The nodes, the master first, the others sorted.

    :param known: servers that there are templates of, and whether each needs an index
    :raises AdminError: ``setting-invalid``
    """
    names = _by_node(settings.text(NODE_DESCRIPTORS), known)
    glacier2 = (
        ("template", "Glacier2Template"),
        ("client-endpoints", client_endpoints),
        ("server-endpoints", server_endpoints),
    )
    nodes = []
    for node in sorted(names, key=lambda name: (name != MASTER, name)):
        servers = tuple(glacier2 if name == _ALWAYS else _attributes(name) for name in names[node])
        nodes.append(NodeInstances(node, servers))
    return tuple(nodes)


def checked_node(name: str) -> str:
    """A node's name, which is also that of its directory and of its file below etc.

    :raises AdminError: ``setting-invalid``
    """
    if not _NODE_NAME.fullmatch(name) or name in _TAKEN:
        raise configuration_error(
            "setting-invalid",
            f"a node can't be called {name!r}",
            f"take letters, digits, and . _ - and none of {', '.join(sorted(_TAKEN))}",
        )
    return name


def _by_node(text: str, known: Mapping[str, bool]) -> dict[str, tuple[str, ...]]:
    if not text.strip():
        return {MASTER: MASTER_INSTANCES}
    nodes: dict[str, tuple[str, ...]] = {MASTER: (_ALWAYS,)}
    for word in text.split():
        node, colon, servers = word.partition(":")
        names = [name for name in servers.split(",") if name]
        if not colon or not node or not names:
            raise _invalid(text, f"{word!r} is not of the form node:Name[-index],…")
        checked_node(node)
        for name in names:
            _check(text, name, known)
        # The first server of the master stays in any case: without it nobody gets in.
        present = nodes.get(node, ())
        nodes[node] = (*present, *(name for name in names if name not in present))
    return nodes


def _check(text: str, name: str, known: Mapping[str, bool]) -> None:
    kind, dash, index = name.partition("-")
    if kind not in known:
        raise _invalid(text, f"there is no server {kind!r}; known: {', '.join(sorted(known))}")
    if known[kind] and not (index.isascii() and index.isdigit()):
        raise _invalid(text, f"{name!r} needs an index, such as {kind}-0")
    if not known[kind] and dash:
        raise _invalid(text, f"{name!r} has an index, but there is only one {kind}")


def _attributes(name: str) -> Attributes:
    kind, _, index = name.partition("-")
    attributes: list[tuple[str, str]] = [("template", f"{kind}Template")]
    if index:
        attributes.append(("index", index))
    if kind == "Blitz":
        attributes.append(("config", "default"))
    if kind in WITH_DIRECTORY:
        attributes.append(("dir", ""))
    return tuple(attributes)


def _invalid(text: str, problem: str) -> AdminError:
    return configuration_error(
        "setting-invalid",
        f"{NODE_DESCRIPTORS} is {text!r}: {problem}",
        f"e.g. omero config set {NODE_DESCRIPTORS} master:Blitz-0,Tables-0",
    )
