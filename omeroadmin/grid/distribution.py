"""The files of a real distribution of OMERO.server, from its own templates below ``etc/templates``.

Their placeholders are OMERO's: tokens such as ``@omero.ports.ssl@`` in all of them, and in ``templates.xml`` options
``MEMORY:blitz`` and properties ``REPLACEMENT:blitz``. Values are put in as text or as XML, never as patterns.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape as escape_xml
from xml.sax.saxutils import quoteattr

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.grid.expansion import escape
from omeroadmin.grid.instances import NODE_DESCRIPTORS, plan_nodes
from omeroadmin.grid.model import MASTER
from omeroadmin.grid.overrides import ICESSL, service_overrides
from omeroadmin.grid.ports import client_endpoints, client_host, endpoint_host, master_host
from omeroadmin.grid.properties import one_line
from omeroadmin.grid.templates import known_servers
from omeroadmin.schema.documented import parse_documented
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system.files import read_text

if TYPE_CHECKING:
    from lxml.etree import _Element

_CONFIGURATIONS = ("master.cfg", "internal.cfg", "ice.config")
_TEMPLATES = "grid/templates.xml"
_APPLICATIONS = "grid/*default.xml"
_TOKEN = re.compile(r"@[A-Za-z0-9._]+@")
_MEMORY = "MEMORY:"
_REPLACEMENT = "REPLACEMENT:"
_PORTS = ("ssl", "tcp", "wss", "ws", "registry")
_IN_ATTRIBUTES = {character: f"&#{ord(character)};" for character in "\"'\n\r\t"}
"""Whichever quotes the template has around a token."""
_PLATFORM = f".{sys.platform}"


def template_directory(instance: Instance) -> Path | None:
    """Where a distribution has its templates; ``None`` where there are none."""
    directory = instance.etc / "templates"
    return directory if (directory / _TEMPLATES).is_file() else None


def render_distribution(
    instance: Instance, settings: Settings, memory_options: Mapping[str, tuple[str, ...]]
) -> dict[str, str]:
    """The files with their content, by their names below ``etc``.

    :param memory_options: options of each service, by its name in ``omero.jvmcfg.*``
    :raises AdminError: ``template-missing``, ``template-invalid``, ``file-not-read``, ``setting-invalid``,
        ``port-invalid``, ``documented-unparsable``
    """
    rendering = _Rendering(instance, settings, memory_options)
    return dict(rendering.files())


@dataclass(frozen=True)
class _Rendering:
    instance: Instance
    settings: Settings
    memory_options: Mapping[str, tuple[str, ...]]

    @property
    def directory(self) -> Path:
        return self.instance.etc / "templates"

    def files(self) -> Iterator[tuple[str, str]]:
        for name in _CONFIGURATIONS:
            tokens = self._tokens(client_host(self.settings) if name == "ice.config" else self._endpoint_host)
            yield name, _substitute(self._template(name), {token: one_line(text) for token, text in tokens.items()})
        applications = sorted(self.directory.glob(_APPLICATIONS))
        if self.directory / "grid" / "default.xml" not in applications:
            raise _missing(self.directory / "grid" / "default.xml")
        for path in applications:
            yield f"grid/{path.name}", self._application(path)
        yield _TEMPLATES, self._server_templates()

    @property
    def _endpoint_host(self) -> str:
        return endpoint_host(master_host(self.settings))

    def _template(self, name: str) -> str:
        path = self.directory / name
        if not path.is_file():
            raise _missing(path)
        return read_text(path)

    def _tokens(self, host: str) -> dict[str, str]:
        text = self.settings.text
        for name in ("ssl", "tcp", "registry"):
            self.settings.port(name)
        # The prefix is put before a port by the template, as text before text.
        ports = {f"omero.ports.{name}": text(f"omero.ports.{name}").strip() for name in ("prefix", *_PORTS)}
        return {
            **ports,
            "omero.master.host": host,
            "omero.tables.module": text("omero.tables.module"),
            "omero.client.endpoints": client_endpoints(self.settings),
            # Templates of OMERO 5.0 to 5.2 have these two.
            "Ice.Default.Host": host,
            "omero.serverdirs.var": text("omero.serverdirs.var") or "var",
        }

    def _application(self, path: Path) -> str:
        found = self._xml(path.relative_to(self.directory).as_posix(), {})
        root = _parse(found, path)
        if not self.settings.text(NODE_DESCRIPTORS).strip():
            return found
        application = root.find("application")
        if application is None:
            raise _invalid(path, "there is no application in it")
        self._place_servers(application, path)
        return _serialize(root)

    def _place_servers(self, application: _Element, path: Path) -> None:
        """What ``omero.server.nodedescriptors`` says instead of what the nodes have."""
        from lxml import etree

        nodes = {str(node.get("name")): node for node in application.findall("node")}
        last = nodes.get(MASTER)
        if last is None:
            raise _invalid(path, f"there is no node {MASTER} in it")
        for planned in plan_nodes(self.settings, "", "", known_servers(self.instance)):
            node = nodes.get(planned.name)
            if node is None:
                node = etree.Element("node", {"name": planned.name})
                last.addnext(node)
            present = node.findall("server-instance")
            # The first server of the master, OMERO.Glacier2, stays as the template has it.
            kept = 1 if planned.name == MASTER else 0
            for server in present[kept:]:
                node.remove(server)
            for attributes in planned.instances[kept:]:
                etree.SubElement(node, "server-instance", dict(attributes))
            last = node
        etree.indent(application, "  ", level=1)

    def _server_templates(self) -> str:
        path = self.directory / _TEMPLATES
        raw = {"omero.glacier2.icessl": ("\n" + 8 * " ").join(_property(name, value) for name, value in self._icessl())}
        root = _parse(self._xml(_TEMPLATES, raw), path)
        for service, options in self.memory_options.items():
            overrides = service_overrides(service, self.settings, self.settings.explicit())
            server = _place_memory(root, service, options, path)
            _place_overrides(root, service, overrides, server)
        left = [(option.text or "").strip() for option in root.iter("option")]
        for text in left:
            if text.startswith(_MEMORY):
                # java would take it for the name of the class to run.
                raise _outdated(path, f"{text} stands for no service that is known")
        return _serialize(root)

    def _icessl(self) -> Iterator[tuple[str, str]]:
        """OMERO.Glacier2's TLS: the distribution's defaults, and over them what is set."""
        names = dict.fromkeys((*self._defaults, *self.settings))
        for name in names:
            if name.startswith(ICESSL):
                value = self.settings.text(name) if self.settings.is_set(name) else self._defaults[name]
                yield name.removeprefix("omero.glacier2."), value

    @property
    def _defaults(self) -> dict[str, str]:
        path = self.instance.etc / "omero.properties"
        if not path.is_file():
            raise _missing(path)
        found = {one.name: one.default for one in parse_documented(read_text(path), str(path))}
        for name in [name for name in found if name.startswith("_") and name.endswith(_PLATFORM)]:
            found[name.removeprefix("_").removesuffix(_PLATFORM)] = found[name]
        return found

    def _xml(self, name: str, raw: Mapping[str, str]) -> str:
        """A template with its tokens replaced.

        :param raw: XML by token
        """
        tokens = self._tokens(self._endpoint_host)
        escaped = {token: escape_xml(escape(text), _IN_ATTRIBUTES) for token, text in tokens.items()}
        return _substitute(self._template(name), {**escaped, **raw})


def _substitute(template: str, values: Mapping[str, str]) -> str:
    """Replace the tokens that are known; ``@omero.host@``, for one, is for clients to replace."""
    return _TOKEN.sub(lambda match: values.get(match.group()[1:-1], match.group()), template)


def _property(name: str, value: str) -> str:
    return f"<property name={quoteattr(escape(name))} value={quoteattr(escape(value))}/>"


def _place_memory(root: _Element, service: str, options: tuple[str, ...], path: Path) -> _Element:
    """Put a service's options where its placeholder is.

    :return: the server
    """
    found = [option for option in root.iter("option") if (option.text or "").strip() == f"{_MEMORY}{service}"]
    if not found:
        raise _outdated(path, f"Cannot find {service} option")
    server = found[0].getparent()
    assert server is not None  # noqa: S101 - the root is no option
    for placeholder in found:
        _insert_after(placeholder, "option", options[1:])
        placeholder.text = escape(options[0])
    return server


def _insert_after(element: _Element, tag: str, texts: Sequence[str]) -> None:
    from lxml import etree

    parent = element.getparent()
    assert parent is not None  # noqa: S101 - the root has no siblings
    for index, text in enumerate(texts, parent.index(element) + 1):
        new = etree.Element(tag)
        new.text, new.tail = escape(text), element.tail
        parent.insert(index, new)


def _place_overrides(root: _Element, service: str, overrides: list[tuple[str, str]], server: _Element) -> None:
    """Put a service's own properties where their placeholder is, else at the end of its server."""
    from lxml import etree

    elements = [etree.Element("property", {"name": name, "value": value}) for name, value in overrides]
    placeholders = [one for one in root.iter("property") if one.get("name") == f"{_REPLACEMENT}{service}"]
    if not placeholders:
        server.extend(elements)
        return
    placeholder = placeholders[0]
    parent = placeholder.getparent()
    assert parent is not None  # noqa: S101 - the root is no property
    for index, element in enumerate(elements, parent.index(placeholder)):
        element.tail = placeholder.tail
        parent.insert(index, element)
    parent.remove(placeholder)


def _parse(text: str, path: Path) -> _Element:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise _invalid(path, f"line {error.lineno}: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _invalid(path, "a DOCTYPE is not allowed")
    return root


def _serialize(root: _Element) -> str:
    from lxml import etree

    return etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True).decode() + "\n"


def _missing(path: Path) -> AdminError:
    return configuration_error(
        "template-missing", f"{path} is missing", "unpack the distribution again, or copy this file from it"
    )


def _invalid(path: Path, problem: str) -> AdminError:
    return configuration_error("template-invalid", f"template {path}: {problem}", "compare it with the distribution's")


def _outdated(path: Path, problem: str) -> AdminError:
    return configuration_error(
        "template-outdated",
        f"template {path}: {problem}. Make sure templates.xml was not copied from an older server",
        "copy it from the distribution",
    )
