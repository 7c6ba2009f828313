"""Reads descriptor files into elements that know where they stand.

No DTD, no entities; includes and targets are resolved.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from omeroadmin.errors import AdminError, configuration_error
from omeroadmin.system.files import read_named

if TYPE_CHECKING:
    from lxml.etree import _Element

_MOST_INCLUDES = 1000
_DEEPEST_INCLUDE = 50
_LONGEST_SHOWN = 80


@dataclass
class _Documents:
    """Files that have been read: an application is looked at several times."""

    roots: dict[Path, _Element] = field(default_factory=dict)
    includes: int = 0


@dataclass(frozen=True)
class Node:
    """An XML element together with the file it comes from.

    :param targets: names of the targets that are wanted
    :param opened: files whose includes led here, the first one first
    """

    element: _Element
    file: Path
    targets: frozenset[str]
    opened: tuple[Path, ...] = ()
    documents: _Documents = field(default_factory=_Documents, compare=False, repr=False)

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
        """Text of the element, whatever comments are in it."""
        return "".join([self.element.text or "", *(child.tail or "" for child in self.element)]).strip()

    def children(self, *tags: str) -> Iterator[Node]:
        """Elements inside this one; wanted targets and included files are opened, other targets left out.

        :param tags: only these; all by default
        :raises AdminError: ``descriptor-invalid``, ``file-not-read``
        """
        for node in self.everything():
            if node.tag == "target":
                if node.require("name") in self.targets:
                    yield from node.children(*tags)
            elif node.tag == "include":
                yield from node.included().children(*tags)
            elif not tags or node.tag in tags:
                yield node

    def everything(self) -> Iterator[Node]:
        """Elements inside this one as they stand there."""
        for child in self.element:
            if isinstance(child.tag, str):
                yield Node(child, self.file, self.targets, self.opened, self.documents)

    def included(self) -> Node:
        """Root of the file that this element includes.

        :raises AdminError: ``descriptor-invalid``, ``file-not-read``
        """
        opened = self.opened or (_resolved(self.file),)
        included = _resolved(self.file.parent / self.require("file"))
        if included is None or not _is_file(included):
            raise self.error(f"includes {included or self.get('file')}, which is missing")
        if included in opened:
            chain = " -> ".join(path.name for path in (*opened[opened.index(included) :], included) if path)
            raise self.error(f"includes a file that includes this one: {chain}")
        self.documents.includes += 1
        if self.documents.includes > _MOST_INCLUDES or len(opened) > _DEEPEST_INCLUDE:
            raise self.error("is one include too many: there are hundreds already")
        root = self.documents.roots.get(included)
        if root is None:
            root = self.documents.roots[included] = _read_root(included)
        wanted = self.targets | frozenset(self.get("targets").split())
        return Node(root, included, wanted, (*(path for path in opened if path), included), self.documents)

    def error(self, problem: str) -> AdminError:
        """What is wrong with this element, with file, line and element.

        :param problem: continues a sentence that begins with the element
        """
        return configuration_error(
            "descriptor-invalid",
            f"{self.place}: <{self.tag}{self._named}> {' '.join(problem.split())}",
            "render it anew: omero admin rewrite",
        )

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file} line {self.element.sourceline}"

    @property
    def _named(self) -> str:
        for key in ("id", "name", "template", "file", "refid", "identity"):
            value = " ".join(self.get(key).split())
            if value:
                return f' {key}="{value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"}"'
        return ""


def closest(word: str, known: Iterable[str]) -> str:
    """What somebody may have meant; empty where nothing is like it."""
    return next(iter(difflib.get_close_matches(word, sorted(known), 1)), "")


def read_descriptor(file: Path, targets: frozenset[str]) -> Node:
    """Root element of a descriptor file.

    :param targets: names of the targets that are wanted
    :raises AdminError: ``descriptor-invalid``, ``file-not-read``
    """
    return Node(_read_root(file), file, targets)


def _read_root(file: Path) -> _Element:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    content = read_named(file)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise _unreadable(file, f"line {error.lineno}: {error.msg}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _unreadable(file, "a DOCTYPE is not allowed")
    if root.tag != "icegrid":
        raise _unreadable(file, f"the root element is <{root.tag}>, not <icegrid>")
    return root


def _resolved(path: Path) -> Path | None:
    """A path without links; ``None`` for what can't be one."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def known_targets(file: Path) -> frozenset[str]:
    """Names of all targets in a descriptor file and what it includes.

    :raises AdminError: ``descriptor-invalid``, ``file-not-read``
    """
    found: set[str] = set()
    waiting, seen = [file.resolve()], set[Path]()
    while waiting:
        current = waiting.pop()
        if current in seen or not _is_file(current):
            continue
        seen.add(current)
        root = read_descriptor(current, frozenset()).element
        found.update(str(target.get("name", "")) for target in root.iter("target"))
        included = (_resolved(current.parent / str(include.get("file", ""))) for include in root.iter("include"))
        waiting += [path for path in included if path]
    return frozenset(found)


def _unreadable(file: Path, problem: str) -> AdminError:
    return configuration_error(
        "descriptor-invalid", f"{file} can't be read as a descriptor: {problem}", "render it anew: omero admin rewrite"
    )
