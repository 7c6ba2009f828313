"""config.xml as a tree that can be changed and written in the one shape that OMERO's tools write.

The standard library's ElementTree, because its output is that shape to the byte: one line, ``<property … />``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from xml.etree.ElementTree import Comment, Element, SubElement, TreeBuilder, tostring

from omeroadmin.profiles.changes import changes_between
from omeroadmin.profiles.reader import (
    ACTIVE,
    FALLBACK,
    OLD_VERSIONS,
    PROFILE_KEY,
    RESERVED,
    VERSION,
    VERSION_KEY,
)
from omeroadmin.profiles.source import parse
from omeroadmin.profiles.state import State, state_of

_HEADER_START = "\n\n\tThis file was generated at"
_HEADER = (
    f"{_HEADER_START} {{}} by the OmeroConfig system.\n"
    "\tDo not edit directly but see `omero config` for details.\n"
    "\tThis file may be included into your IceGrid application.\n\n"
)
_TEMPLATES = "templates.xml"


class Document:
    """All of config.xml; what it doesn't know it keeps.

    :param config_xml: the file's name, for messages
    :param source: its content; ``None`` makes a new one
    :raises AdminError: ``config-unparsable``
    """

    def __init__(self, config_xml: Path, source: bytes | None) -> None:
        self._root = Element("icegrid") if source is None else _parse(config_xml, source)
        _drop_layout(self._root)
        self._merge_blocks()
        self.upgraded: tuple[str, ...] = ()
        self._original = None if source is None else self._text()

    @property
    def active(self) -> str:
        """Name of the active profile."""
        block = self._find(ACTIVE)
        return FALLBACK if block is None else _values(block).get(PROFILE_KEY, FALLBACK)

    def values(self, profile: str) -> dict[str, str]:
        """What a profile sets, without the file's own properties."""
        block = self._find(profile)
        values = {} if block is None else _values(block)
        return {name: value for name, value in values.items() if name not in RESERVED}

    def state(self) -> State:
        """All that the profiles say."""
        blocks = {
            block.attrib["id"]: _values(block)
            for block in self._root.findall("properties")
            if block.get("id", ACTIVE) != ACTIVE
        }
        return state_of(self.active, blocks)

    def upgrade(self) -> None:
        """Bring profiles of an old format to today's; ``upgraded`` names them."""
        for block in self._root.findall("properties"):
            version = _values(block).get(VERSION_KEY, VERSION)
            if block.get("id", ACTIVE) == ACTIVE or version not in OLD_VERSIONS:
                continue
            from omeroadmin.profiles.upgrades import upgraded_value

            for child in block.findall("property"):
                child.set("value", upgraded_value(version, child.get("name", ""), child.get("value", "")))
            self.upgraded += (block.attrib["id"],)

    def has(self, profile: str) -> bool:
        """Whether there is a profile of this name."""
        return self._find(profile) is not None

    def change(self, profile: str, changes: Mapping[str, str | None]) -> None:
        """Set properties of a profile, or remove those whose value is ``None``; overwritten ones keep their place."""
        block = self._make(profile)
        present: dict[str | None, list[Element]] = {}
        for child in block.findall("property"):
            present.setdefault(child.get("name"), []).append(child)
        gone: set[Element] = set()
        for name, value in changes.items():
            children = present.get(name, [])
            gone.update(children if value is None else children[1:])
            if value is None:
                continue
            if children:
                children[0].set("value", value)
            else:
                _add(block, name, value)
        if gone:
            # Removing them one by one would look through all the others each time.
            block[:] = [child for child in block if child not in gone]

    def activate(self, profile: str) -> None:
        """Make a profile the active one, creating it where it is missing."""
        self._rebuild(profile)

    def drop(self, profile: str) -> None:
        """Remove a profile; the active one is made again, empty."""
        active = self.active
        block = self._find(profile)
        if block is not None:
            self._root.remove(block)
        self._rebuild(active)

    def become(self, state: State) -> None:
        """Let all profiles, and which of them is active, be those of a state."""
        self.activate(state.active)
        for profile in self.state().profiles:
            if profile not in state.profiles:
                self.drop(profile)
        for profile, values in state.profiles.items():
            self.become_profile(profile, values)

    def become_profile(self, profile: str, values: Mapping[str, str]) -> None:
        """Let a profile, made where it is missing, be as in a :class:`~omeroadmin.profiles.state.State`."""
        present = {VERSION_KEY: VERSION, **self.state().profiles.get(profile, {})}
        changes = changes_between(present, {VERSION_KEY: VERSION, **values})
        self.change(profile, {item.name: item.new for item in changes})

    def finish(self) -> bytes | None:
        """Renew the active copy and give the file's new content.

        :return: ``None`` where nothing has changed
        """
        self._rebuild(self.active)
        if self._text() == self._original:
            return None
        root = deepcopy(self._root)
        root.insert(0, Comment(_HEADER.format(time.ctime())))
        return tostring(root, encoding="unicode").encode()

    def _rebuild(self, active: str) -> None:
        old = self._find(ACTIVE)
        if old is not None:
            self._root.remove(old)
        if self._find(active) is None:
            self._root.insert(0, _new_block(active))
        source = self._make(active)
        copy = Element("properties", {"id": ACTIVE})
        _add(copy, PROFILE_KEY, active)
        _add(copy, VERSION_KEY, VERSION)
        copy.extend(
            deepcopy(child) for child in source if isinstance(child.tag, str) and child.get("name") not in RESERVED
        )
        self._root.insert(0, copy)
        includes = [child for child in self._root.findall("include") if child.get("file") == _TEMPLATES]
        for include in includes:
            self._root.remove(include)
        SubElement(self._root, "include", {"file": _TEMPLATES})

    def _merge_blocks(self) -> None:
        for block in self._root.findall("properties"):
            first = self._find(block.get("id"))
            if first is not None and first is not block:
                self._root.remove(block)
                first.extend(block)

    def _find(self, profile: str | None) -> Element | None:
        if profile is None:
            return None
        return next((block for block in self._root.findall("properties") if block.get("id") == profile), None)

    def _make(self, profile: str) -> Element:
        block = self._find(profile)
        if block is None:
            block = _new_block(profile)
            self._root.append(block)
        return block

    def _text(self) -> str:
        return tostring(self._root, encoding="unicode")


def _parse(config_xml: Path, source: bytes) -> Element:
    builder = TreeBuilder(insert_comments=True, insert_pis=True)
    parse(
        config_xml,
        source,
        start=builder.start,
        end=builder.end,
        text=builder.data,
        comment=builder.comment,
        instruction=builder.pi,
    )
    return builder.close()


def _drop_layout(root: Element) -> None:
    """Remove the generated comment and the white space with which somebody may have indented the file."""
    for child in list(root):
        if not isinstance(child.tag, str) and (child.text or "").startswith(_HEADER_START):
            root.remove(child)
    for element in root.iter():
        if isinstance(element.tag, str) and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None


def _values(block: Element) -> dict[str, str]:
    return {
        child.attrib["name"]: child.get("value", "") for child in block.findall("property") if "name" in child.attrib
    }


def _new_block(profile: str) -> Element:
    block = Element("properties", {"id": profile})
    _add(block, VERSION_KEY, VERSION)
    return block


def _add(block: Element, name: str, value: str) -> None:
    SubElement(block, "property", {"name": name, "value": value})
