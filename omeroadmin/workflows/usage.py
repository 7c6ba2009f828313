"""How much room data takes on a server, as ``omero fs usage`` tells it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from omeroadmin.access.client import Client
from omeroadmin.access.people import read_user
from omeroadmin.access.session import Session
from omeroadmin.errors import usage_error

_OBJECTS = re.compile(r"([A-Za-z]+):(\*|[0-9]{1,18}(?:,[0-9]{1,18})*)")
_TYPES = (
    "Experimenter",
    "ExperimenterGroup",
    "Project",
    "Dataset",
    "Screen",
    "Plate",
    "Image",
    "Fileset",
    "Pixels",
    "Annotation",
    "Job",
    "OriginalFile",
)
_FOREVER = 86_400.0


@dataclass(frozen=True)
class Targets:
    """The objects that are meant.

    :param ids: by type
    :param types: of which all objects are meant
    """

    ids: dict[str, tuple[int, ...]]
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What one kind of files takes that belong to one user in one group.

    :param component: OMERO's name of what the files are, e.g. ``FilesetEntry``
    :param size: bytes
    :param files: their number
    """

    component: str
    user_id: int
    user: str
    group_id: int
    group: str
    size: int
    files: int


@dataclass(frozen=True)
class Usage:
    """What objects take."""

    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(part.size for part in self.parts)

    @property
    def files(self) -> int:
        """Number of all files."""
        return sum(part.files for part in self.parts)


def parse_targets(texts: Sequence[str]) -> Targets:
    """Objects as they are typed: ``Image:1,2``, ``Dataset:*``.

    :raises AdminError: ``object-invalid``
    """
    ids: dict[str, tuple[int, ...]] = {}
    types: list[str] = []
    proper = {name.lower(): name for name in _TYPES}
    for text in texts:
        match = _OBJECTS.fullmatch(text)
        name = proper.get(match[1].lower()) if match else None
        if match is None or name is None:
            raise usage_error(
                "object-invalid",
                f"{text[:80]!r} is nothing whose usage is known",
                f"e.g. Image:1,2; {', '.join(_TYPES)}",
            )
        if match[2] == "*":
            types.append(name)
        else:
            ids[name] = ids.get(name, ()) + tuple(map(int, match[2].split(",")))
    return Targets(ids, tuple(dict.fromkeys(types)))


def own_targets(client: Client, session: Session, *, groups: bool) -> Targets:
    """All that belongs to a session's user.

    :param groups: all of the user's groups instead, data of others that the user may see among it
    :raises AdminError: what :meth:`Client.get` raises
    """
    if not groups:
        return Targets({"Experimenter": (session.user_id,)})
    user = read_user(client, client.get(f"/users/{session.user_id}"))
    return Targets({"ExperimenterGroup": tuple(sorted({*user.member_of, *user.owner_of, session.group_id}))})


def usage(client: Client, targets: Targets, *, seconds: float | None = None) -> Usage:
    """What objects take; a file that several of them have counts once.

    :param seconds: to wait for the answer; ``None``: as long as it takes
    :raises AdminError: ``server-timeout`` and what :meth:`Client.post` raises
    """
    document = {
        "objects": [{"type": kind, "ids": list(ids)} for kind, ids in targets.ids.items()],
        "types": list(targets.types),
    }
    answer = client.post("/usage", document, timeout=_FOREVER if seconds is None else seconds)
    return Usage(tuple(Part(**part) for part in client.items(answer, "parts")))


def summed(found: Usage, by: Sequence[str], sort_by: Sequence[str], *, reverse: bool = False) -> list[dict[str, Any]]:
    """Sizes added up.

    :param by: what to keep apart: ``user``, ``group``, ``component``
    :param sort_by: what to sort by: those, ``size``, ``files``; what isn't kept apart is passed over
    :return: items with the names of ``by``, ``size`` and ``files``; users and groups by their ids
    """
    fields = {"user": "user_id", "group": "group_id", "component": "component"}
    sums: dict[tuple[Any, ...], list[int]] = {}
    for part in found.parts:
        total = sums.setdefault(tuple(getattr(part, fields[name]) for name in by), [0, 0])
        total[0] += part.size
        total[1] += part.files
    items = [{**dict(zip(by, key, strict=True)), "size": size, "files": files} for key, (size, files) in sums.items()]
    keys = [name for name in sort_by if name in by or name in ("size", "files")] or [by[0]]
    return sorted(items, key=lambda item: tuple(item[name] for name in keys), reverse=reverse)
