"""The files that `omero config apply` is given, and what each of them wishes for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from omeroadmin.errors import AdminError, usage_error
from omeroadmin.profiles.desired.wish import Wish
from omeroadmin.profiles.properties import parse_properties
from omeroadmin.system.files import named_file_error

STDIN = "-"


class Language(StrEnum):
    """What a file is written in."""

    YAML = "yaml"
    JSON = "json"
    PROPERTIES = "properties"


_LANGUAGES = {
    ".yaml": Language.YAML,
    ".yml": Language.YAML,
    ".json": Language.JSON,
    ".properties": Language.PROPERTIES,
}


@dataclass(frozen=True)
class Source:
    """One file.

    :param name: as messages call it; ``-`` is stdin
    """

    name: str
    language: Language


@dataclass(frozen=True)
class Sources:
    """All files in their order.

    :param ignored: files of directories whose names don't say that they are for this
    """

    files: tuple[Source, ...]
    ignored: tuple[str, ...] = ()


def find_sources(names: Iterable[str], language: Language | None = None) -> Sources:
    """The files that names stand for; of a directory those with one of our endings, in the order of their names.

    :param names: of files and directories; ``-`` is stdin
    :param language: of the files that are named themselves, where their endings don't say it
    :raises AdminError: ``file-not-read``, ``language-unknown``, ``directory-without-files``
    """
    files: list[Source] = []
    ignored: list[str] = []
    for name in names:
        path = Path(name)
        if name != STDIN and os.path.isdir(path):  # noqa: PTH112 - false as well where this user may not look
            inside = _children(path)
            taken = [Source(str(file), _LANGUAGES[file.suffix.lower()]) for file in inside if _is_ours(file)]
            if not taken:
                raise usage_error(
                    "directory-without-files", f"{name} has no file that ends in {', '.join(_LANGUAGES)}", "see: ls -la"
                )
            files += taken
            ignored += [str(file) for file in inside if not _is_ours(file)]
        else:
            files.append(Source(name, language or _language_of(path)))
    return Sources(tuple(files), tuple(ignored))


def parse_source(source: Source, text: str, environment: Mapping[str, str]) -> list[Wish]:
    """What a file wishes for, in order.

    :param text: its content
    :param environment: variables for ``!env``
    :raises AdminError: ``properties-invalid``, ``property-conflict``, ``json-invalid``, or as
        :func:`omeroadmin.profiles.desired.yaml_file.parse_yaml`
    """
    is_stdin = source.name == STDIN
    name = "stdin" if is_stdin else source.name
    match source.language:
        case Language.YAML:
            from omeroadmin.profiles.desired.yaml_file import parse_yaml

            directory = Path() if is_stdin else Path(source.name).parent
            return parse_yaml(text, name, directory=directory, environment=environment)
        case Language.JSON:
            from omeroadmin.profiles.desired.json_file import parse_json

            return parse_json(text, name)
    return property_wishes(text, name)


def property_wishes(text: str, name: str) -> list[Wish]:
    """What a properties file wishes for, in order.

    :param name: of the text, for messages
    :raises AdminError: ``properties-invalid``, ``property-conflict`` where a property is there twice, with two values
    """
    wishes: dict[str, Wish] = {}
    for entry in parse_properties(text, name):
        wish = Wish(entry.name, entry.value, entry.origin)
        first = wishes.setdefault(entry.name, wish)
        if first.value != wish.value:
            raise _twice(wish, first)
    return list(wishes.values())


def _twice(wish: Wish, first: Wish) -> AdminError:
    return usage_error(
        "property-conflict",
        f"{wish.origin}: {wish.name!r} is there twice, with another value; first: {first.origin}",
        "remove one of the lines",
    )


def _children(directory: Path) -> list[Path]:
    try:
        # Hidden files are those of editors, of git and of whoever mounts secrets.
        return sorted(path for path in directory.iterdir() if not path.name.startswith(".") and path.is_file())
    except OSError as error:
        raise named_file_error(directory, error) from error


def _is_ours(file: Path) -> bool:
    return file.suffix.lower() in _LANGUAGES


def _language_of(path: Path) -> Language:
    if str(path) == STDIN:
        return Language.YAML
    found = _LANGUAGES.get(path.suffix.lower())
    if found is None:
        raise usage_error(
            "language-unknown",
            f"{path} may hold YAML, JSON or properties; its name doesn't end in {', '.join(_LANGUAGES)}",
            "say what it is: --format yaml, json or properties",
        )
    return found
