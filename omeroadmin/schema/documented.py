"""Properties with their documentation, as a file such as OMERO's ``omero.properties`` has them.

Lines that begin with ``#`` document the property below them; ``##`` is a remark that documents nothing; ``### END``
ends the file; a line that ends in a backslash goes on in the next one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from omeroadmin.errors import configuration_error
from omeroadmin.schema.catalog import find_setting, settings
from omeroadmin.schema.setting import Setting

_END = "### END"
_LEFT_OUT = ("##", "versions", "omero.upgrades", "omero.version")
"""Beginnings of lines that are no property to document."""
_FOR_DEVELOPERS = "DEVELOPMENT"
WEB = "omero.web."


@dataclass(frozen=True)
class Documented:
    """A property, its default and what a file or the catalog says of it."""

    name: str
    default: str
    description: str

    @property
    def section(self) -> str:
        """Its heading: the declared one, else that of its neighbours, else a word of its name."""
        setting = find_setting(self.name)
        if setting is not None:
            return setting.section
        first, _, rest = self.name.partition(".")
        word = rest.partition(".")[0] or first
        return _sections().get(f"{first}.{word}", first if first == "Ice" else word.title())

    @property
    def is_for_developers(self) -> bool:
        """Whether it has no place in a manual."""
        return self.description.startswith(_FOR_DEVELOPERS)


def _sections() -> dict[str, str]:
    return {".".join(name.split(".")[:2]): setting.section for name, setting in reversed(settings().items())}


def declared(*, web: bool = True) -> list[Documented]:
    """All declared properties.

    :param web: with those of OMERO.web
    """
    return [_documented(setting) for name, setting in settings().items() if web or not name.startswith(WEB)]


def declared_web() -> list[Documented]:
    """The declared properties of OMERO.web."""
    return [_documented(setting) for name, setting in settings().items() if name.startswith(WEB)]


def _documented(setting: Setting) -> Documented:
    return Documented(setting.name, setting.default, setting.description)


def parse_documented(text: str, source: str) -> list[Documented]:
    """Properties of a file.

    :param source: name of the file, for the message
    :raises AdminError: ``documented-unparsable``
    """
    found: list[Documented] = []
    comments: list[str] = []
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if line.startswith(_END):
            break
        if not line.strip() or line.startswith(_LEFT_OUT):
            continue
        if line.startswith("#"):
            comments.append(line[1:].removeprefix(" "))
            continue
        while line.endswith("\\"):
            line = line[:-1] + next(lines, (0, ""))[1]  # noqa: PLW2901 - the line goes on
        name, equals, value = line.partition("=")
        if not equals:
            raise configuration_error(
                "documented-unparsable",
                f"{source}, line {number}: {line.strip()[:60]!r} is neither a property nor a comment",
                "a property is KEY=VALUE, and a comment begins with #",
            )
        found.append(Documented(name.strip(), value, "\n".join(comments).strip("\n")))
        comments = []
    return found


def by_section(properties: Sequence[Documented]) -> dict[str, list[Documented]]:
    """Properties under their headings, both in order."""
    sections: dict[str, list[Documented]] = {}
    for documented in sorted(properties, key=lambda one: (one.section.lower(), one.name)):
        sections.setdefault(documented.section, []).append(documented)
    return sections
