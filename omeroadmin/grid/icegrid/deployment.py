"""What is handed to the registry: the descriptor files as IceGrid has to read them, and what is to be known of them.

IceGrid expands variables in whatever a descriptor includes, also in config.xml, where values are data to us. So it gets
copies in which each dollar of config.xml stands for itself, without the properties that are no server's.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.grid.descriptor import read_servers
from omeroadmin.grid.elements import Node, read_descriptor
from omeroadmin.grid.icegrid.handed import Profiles, hand_over, profiles
from omeroadmin.grid.model import ServerSpecification
from omeroadmin.grid.properties import one_line
from omeroadmin.grid.reference_servers import HEAP_SERVERS
from omeroadmin.schema.catalog import settings as declared_settings
from omeroadmin.schema.instance import Instance
from omeroadmin.system import files

if TYPE_CHECKING:
    from lxml.etree import _Element

_PROFILES = "config.xml"
_DIRECTORY = "descriptors"
_SUMMARY = "deployed.json"
_PRIVATE = 0o700
_DOLLARS = re.compile(r"\$+(?=\{)")
_MEMORY = "omero.jvmcfg."
_SERVICES = frozenset(server.service for server in HEAP_SERVERS)
_PLAIN_PROCESS = ("Ice.Admin.Enabled", "0")


@dataclass(frozen=True)
class DeployedServer:
    """A server that the registry was given.

    :param always: whether its node starts it by itself
    :param plain: whether IceGrid knows no more of it than that its process runs
    :param digest: of all that it is started with
    """

    id: str
    node: str
    always: bool = True
    plain: bool = True
    digest: str = ""


@dataclass(frozen=True)
class Deployment:
    """An application as it was, or is to be, handed to the registry.

    :param application: its name
    :param targets: wanted targets, in order
    :param profiles: what each kind of server is handed of the active profile
    """

    application: str = ""
    targets: tuple[str, ...] = ()
    servers: tuple[DeployedServer, ...] = ()
    profiles: Profiles = field(default_factory=dict, repr=False)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes that have servers, in the order of the descriptor."""
        return tuple(dict.fromkeys(server.node for server in self.servers))

    def server(self, identifier: str) -> DeployedServer | None:
        """One server."""
        return next((server for server in self.servers if server.id == identifier), None)


def prepare(instance: Instance, file: Path, targets: Sequence[str], before: Deployment | None = None) -> Deployment:
    """Read an application and make the copies of its files, which hold secrets; nothing is handed over yet.

    :param before: what a running grid was given: only servers that a change concerns are to notice it
    :raises AdminError: ``descriptor-invalid`` with file, line and element; ``file-not-read``, ``file-not-written``
    """
    read_servers(file, targets)
    given = profiles(_cleaned(_documents(file)), {} if before is None else before.profiles)
    copy = copy_descriptors(instance, file, given)
    application = next(child for child in read_descriptor(copy, frozenset()).children() if child.tag == "application")
    servers = tuple(_deployed(server) for server in read_servers(copy, targets))
    return Deployment(application.require("name"), tuple(targets), servers, given)


def copy_descriptors(instance: Instance, file: Path, given: Profiles, *, manual: bool = False) -> Path:
    """Copy a descriptor and what it includes to where the registry is told to read it.

    :param given: what each kind of server is handed of the active profile
    :param manual: whether no server of the copy is to be started by its node
    :return: the copy, below ``OMERODIR``
    :raises AdminError: ``descriptor-invalid``, ``file-not-read``, ``file-not-written``
    """
    directory = instance.registry_directory / _DIRECTORY
    files.make_directory(directory, mode=_PRIVATE)
    documents = _documents(file)
    hand_over(_cleaned(documents), given)
    names = {source: directory / f"{number}.xml" for number, source in enumerate(documents)}
    for root in documents.values():
        _write_copy(root, names, manual=manual)
    return names[file.resolve()]


def _documents(file: Path) -> dict[Path, Node]:
    """A descriptor and what it includes, by path."""
    found: dict[Path, Node] = {}
    waiting = [file.resolve()]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found[current] = read_descriptor(current, frozenset())
            waiting += _included(found[current])
    return found


def _cleaned(documents: Mapping[Path, Node]) -> list[_Element]:
    """Their roots, without the properties that are no server's."""
    for source, root in documents.items():
        if source.name == _PROFILES:
            for profile in root.element.iter("properties"):
                _leave_out(profile)
    return [root.element for root in documents.values()]


def remember(instance: Instance, deployment: Deployment) -> None:
    """Record what the registry was given.

    :raises AdminError: ``file-not-written``
    """
    text = json.dumps(dataclasses.asdict(deployment), indent=1) + "\n"
    files.write_atomically(_summary(instance), text.encode(), mode=files.SECRET_MODE)


def remembered(instance: Instance) -> Deployment:
    """What the registry was given last; empty where that isn't known."""
    try:
        document: dict[str, Any] = json.loads(_summary(instance).read_bytes())
        servers = tuple(DeployedServer(**server) for server in document["servers"])
        given = {str(kind): dict(values) for kind, values in document.get("profiles", {}).items()}
        return Deployment(str(document["application"]), tuple(document["targets"]), servers, given)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # It is written anew by the next deployment; until then the registry alone is asked.
        return Deployment()


def forget_registry(instance: Instance) -> None:
    """Remove the registry's database, so that no server of an earlier application is started.

    :raises AdminError: ``file-not-written``
    """
    for path in instance.registry_directory.glob("*.mdb"):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise files.file_error("written", path, error) from error


def literal(text: str) -> str:
    """A text that IceGrid expands to itself."""
    return _DOLLARS.sub(lambda match: match.group() * 2, text)


def _summary(instance: Instance) -> Path:
    return instance.registry_directory / _SUMMARY


def _deployed(server: ServerSpecification) -> DeployedServer:
    digest = hashlib.sha256(repr(server).encode()).hexdigest()
    plain = dict(server.properties).get(_PLAIN_PROCESS[0]) == _PLAIN_PROCESS[1]
    return DeployedServer(server.identifier, server.node, server.starts_always, plain, digest)


def _included(root: Node) -> list[Path]:
    found = (_target(root, include) for include in root.element.iter("include"))
    return [path for path in found if path.is_file()]


def _target(root: Node, include: _Element) -> Path:
    return (root.file.parent / str(include.get("file", ""))).resolve()


def _leave_out(profile: _Element) -> None:
    """Remove what no server reads: it would be a reason to restart them all.

    What one service has for itself stands in its template, and its options of memory in its command.
    """
    present = [(element, str(element.get("name", ""))) for element in profile.iter("property")]
    known = {*declared_settings(), *(name for _, name in present)}
    for element, name in present:
        base, _, service = name.rpartition(".")
        if name.startswith(_MEMORY) or (service in _SERVICES and base in known):
            profile.remove(element)


def _write_copy(root: Node, names: Mapping[Path, Path], *, manual: bool) -> None:
    from lxml import etree

    for include in root.element.iter("include"):
        target = _target(root, include)
        if target in names:
            include.set("file", names[target].name)
    for element in list(root.element.iter("property")):
        value = one_line(str(element.get("value", "")))
        element.set("value", literal(value) if root.file.name == _PROFILES else value)
    if manual:
        for element in root.element.iter("server", "icebox"):
            element.set("activation", "manual")
    content = etree.tostring(root.element.getroottree(), encoding="UTF-8", xml_declaration=True)
    files.write_atomically(names[root.file], content, mode=files.SECRET_MODE)
