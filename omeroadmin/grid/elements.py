"""Reads descriptor files into elements that know where they stand.

No DTD, no entities; includes and targets are resolved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.system.files import read_bytes

if TYPE_CHECKING:
    from lxml.etree import _Element


@dataclass(frozen=True)
class Node:
    """An XML element together with the file it comes from.

    :param targets: names of the targets that are wanted
    """

    element: _Element
    file: Path
    targets: frozenset[str]

    @property
    def tag(self) -> str:
        """Name of the element."""
        return str(self.element.tag)

    def get(self, name: str, default: str = "") -> str:
        """Value of an attribute."""
        return self.element.get(name, default)

    def require(self, name: str) -> str:
        """Value of an attribute that must be there.

        :raises AdminError: ``descriptor-invalid``
        """
        value = self.element.get(name)
        if value is None:
            raise self.error(f"lacks the attribute {name}")
        return value

    @property
    def attributes(self) -> dict[str, str]:
        """All attributes."""
        return {str(name): str(value) for name, value in self.element.attrib.items()}

    @property
    def text(self) -> str:
        """Text of the element."""
        return (self.element.text or "").strip()

    def children(self, *tags: str) -> Iterator[Node]:
        """Elements inside this one; wanted targets are opened, others left out.

        :param tags: only these; all by default
        """
        for child in self.element:
            if not isinstance(child.tag, str):
                continue
            node = Node(child, self.file, self.targets)
            if node.tag == "target":
                if node.require("name") in self.targets:
                    yield from node.children(*tags)
            elif not tags or node.tag in tags:
                yield node

    def error(self, problem: str) -> AdminError:
        """What is wrong with this element, with file, line and element.

        :param problem: continues a sentence that begins with the element
        """
        named = next((f' {key}="{self.get(key)}"' for key in ("id", "name", "template", "file") if self.get(key)), "")
        return configuration_error(
            "descriptor-invalid",
            f"{self.file} line {self.element.sourceline}: <{self.tag}{named}> {problem}",
            "render it anew: omero admin rewrite",
        )


def read_descriptor(file: Path, targets: frozenset[str]) -> Node:
    """Root element of a descriptor file.

    :param targets: names of the targets that are wanted
    :raises AdminError: ``descriptor-invalid``, ``file-not-read``
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    content = read_bytes(file)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _unreadable(file, f"line {error.lineno}: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _unreadable(file, "a DOCTYPE is not allowed")
    if root.tag != "icegrid":
        raise _unreadable(file, f"the root element is <{root.tag}>, not <icegrid>")
    return Node(root, file, targets)


def flatten(node: Node, opened: tuple[Path, ...] = ()) -> Iterator[Node]:
    """Children of an element, with those of included files in their place.

    :raises AdminError: ``descriptor-invalid`` if files include each other in a circle
    """
    opened = opened or (node.file.resolve(),)
    for child in node.children():
        if child.tag != "include":
            yield child
            continue
        included = (child.file.parent / child.require("file")).resolve()
        if included in opened:
            raise child.error("includes a file that includes this one")
        if not included.is_file():
            raise child.error(f"includes {included}, which is missing")
        wanted = child.targets | frozenset(child.get("targets").split())
        yield from flatten(read_descriptor(included, wanted), (*opened, included))


def known_targets(file: Path) -> frozenset[str]:
    """Names of all targets in a descriptor file and what it includes.

    :raises AdminError: ``descriptor-invalid``, ``file-not-read``
    """
    found: set[str] = set()
    waiting, seen = [file.resolve()], set[Path]()
    while waiting:
        current = waiting.pop()
        if current in seen or not current.is_file():
            continue
        seen.add(current)
        root = read_descriptor(current, frozenset()).element
        found.update(str(target.get("name", "")) for target in root.iter("target"))
        waiting += [(current.parent / str(include.get("file", ""))).resolve() for include in root.iter("include")]
    return frozenset(found)


def _unreadable(file: Path, problem: str) -> AdminError:
    return configuration_error(
        "descriptor-invalid", f"{file} can't be read as a descriptor: {problem}", "render it anew: omero admin rewrite"
    )
