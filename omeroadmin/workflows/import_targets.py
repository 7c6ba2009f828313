"""Where images go: reads the targets of ``omero import -T`` and has the server find or make them."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.problems import not_understood
from omeroadmin.errors import AdminError, failed_error, usage_error

_CHOICES = {"+": "newest", "-": "oldest", "%": "unique", "@": "new"}
_KINDS = {"dataset": "Dataset", "screen": "Screen", "project": "Project"}
_IN_PROJECT = re.compile(r"/(?=Dataset:)", re.IGNORECASE)
_GROUP = "Container1"
_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z])")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)


@dataclass(frozen=True)
class Container:
    """A dataset, screen or project, by id or by name.

    :param id: ``None``: by its name
    :param choice: which of several of a name: ``newest``, ``oldest``, ``unique`` or ``new``
    """

    kind: str
    id: int | None = None
    name: str = ""
    choice: str = "newest"

    def document(self) -> dict[str, Any]:
        """The wish as the API has it."""
        if self.id is not None:
            return {"type": self.kind, "id": self.id}
        return {"type": self.kind, "name": self.name, "choose": self.choice}


@dataclass(frozen=True)
class Named:
    """A target that is the same for all files.

    :param project: to link the dataset to
    """

    container: Container
    project: Container | None = None


@dataclass(frozen=True)
class ByPath:
    """A target whose name is a part of the path of each file's folder.

    :param pattern: has the group ``Container1``
    """

    pattern: re.Pattern[str]
    choice: str

    def container(self, folder: Path, *, is_plate: bool) -> Container:
        """The container for files of a folder.

        :raises AdminError: ``target-unmatched``
        """
        match = self.pattern.fullmatch(str(folder))
        name = match.group(_GROUP) if match else None
        if not name:
            raise failed_error(
                "target-unmatched",
                f"the target's pattern {self.pattern.pattern!r} finds no name in {folder}",
                "it must match the whole path of the folder; see paths with omero import -f",
            )
        return Container("Screen" if is_plate else "Dataset", name=name, choice=self.choice)


TargetWish = Named | ByPath


def parse_target(text: str) -> TargetWish:
    """Read a target: ``Dataset:2``, ``Screen:+name:X``, ``Project:name:X/Dataset:name:Y``, ``regex:PATTERN``.

    :raises AdminError: ``target-invalid``
    """
    head, _, rest = text.partition(":")
    if head.lower() == "regex":
        return _by_path(text, rest)
    if head.lower() == "project":
        parts = _IN_PROJECT.split(text, maxsplit=1)
        if len(parts) == 1:
            raise _invalid(text, "images go to a Dataset in a project: Project:name:P/Dataset:name:D")
        return Named(_container(parts[1], text), _container(parts[0], text))
    return Named(_container(text, text))


def target_of_id(kind: str, text: str) -> TargetWish:
    """The target of ``-d`` or ``-r``: an id, or ``Dataset:ID``.

    :raises AdminError: ``target-invalid``
    """
    prefix, _, number = text.rpartition(":")
    if prefix and prefix.lower() != kind.lower():
        raise _invalid(text, f"this option takes the id of a {kind}")
    return Named(_container(f"{kind}:{number}", text))


class Targets:
    """The containers of one run: each is asked for once, whatever number of files goes there.

    One thread at a time asks.
    """

    def __init__(self) -> None:
        self._known: dict[object, tuple[str, int]] = {}
        self._lock = threading.Lock()

    def find(self, client: Client, wish: TargetWish, folder: Path, *, is_plate: bool) -> tuple[str, int]:
        """Type and id of the container for files of a folder.

        :raises AdminError: ``target-unmatched``, ``target-not-found``, ``target-ambiguous``, ``permission-denied``
            and what :meth:`Client.get` raises
        """
        named = wish if isinstance(wish, Named) else Named(wish.container(folder, is_plate=is_plate))
        with self._lock:
            if named not in self._known:
                document = named.container.document()
                if named.project is not None:
                    document["project"] = named.project.document()
                answer = client.post("/imports/targets", document)
                try:
                    self._known[named] = (str(answer["type"]), int(answer["id"]))
                except (KeyError, TypeError, ValueError) as error:
                    raise not_understood(client.address, "its target has not the fields that were expected") from error
            return self._known[named]


def _container(text: str, whole: str) -> Container:
    kind_word, _, rest = text.partition(":")
    kind = _KINDS.get(kind_word.lower())
    if kind is None or not rest:
        raise _invalid(whole, "it begins with Dataset:, Screen:, Project: or regex:")
    discriminator, separator, value = rest.partition(":")
    if not separator:
        discriminator, value = "id", rest
    choice, word = _discriminated(discriminator)
    if word == "id" and not choice:
        if not (value.isascii() and value.isdigit() and len(value) <= 18):
            raise _invalid(whole, f"{value!r} is no id")
        return Container(kind, int(value))
    if word != "name":
        raise _invalid(whole, f"{discriminator!r} is neither id nor name, +name, -name, %name or @name")
    if not value:
        raise _invalid(whole, "it has no name")
    return Container(kind, name=value, choice=choice or "newest")


def _discriminated(text: str) -> tuple[str, str]:
    """Choice and discriminator of ``+name``."""
    choice = _CHOICES.get(text[:1], "")
    return choice, text[1:] if choice else text


def _by_path(text: str, rest: str) -> ByPath:
    discriminator, separator, pattern = rest.partition(":")
    choice, word = _discriminated(discriminator)
    if not separator or word != "name":
        # Without a discriminator the colon, if there is one, is the pattern's.
        choice, pattern = "newest", rest
    try:
        compiled = re.compile(_in_python(pattern))
    except re.error as error:
        raise _invalid(text, f"its pattern is no regular expression: {error}") from error
    if _GROUP not in compiled.groupindex:
        raise _invalid(text, f"its pattern has no group (?<{_GROUP}>…)")
    return ByPath(compiled, choice or "newest")


def _in_python(pattern: str) -> str:
    """A pattern of Java's: its named groups and quotes are written otherwise here."""
    quoted = _QUOTED.sub(lambda match: re.escape(match.group(1)), pattern)
    return _NAMED_GROUP.sub("(?P<", quoted)


def _invalid(text: str, why: str) -> AdminError:
    return usage_error(
        "target-invalid",
        f"the target {text!r} is not understood: {why}",
        "examples: Dataset:51, Screen:name:S, Project:name:P/Dataset:name:D, 'regex:^.*/(?<Container1>[^/]*)$'",
    )
