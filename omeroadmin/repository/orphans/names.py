"""What the names below ``Files``, ``Pixels`` and ``Thumbnails`` mean.

Source: ROMIO's AbstractFileSystemService for id paths, and the locks and temporary files of pyramids in OMERO and here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from omeroadmin.repository.orphans.findings import Kind

_NAME = re.compile(
    r"(?P<plain>0|[1-9][0-9]{0,18})"
    r"|(?P<pyramid>[1-9][0-9]{0,18})_pyramid"
    r"|\.(?P<lock>[1-9][0-9]{0,18})_pyramid[^/]*\.pyr_lock"
    r"|\.(?P<part>[1-9][0-9]{0,18})_pyramid[^/]*\.tmp"
    r"|\.(?P<temporary>[1-9][0-9]{0,18})\.[0-9a-f]{12}\.tmp",
    re.ASCII,
)
_GROUP = re.compile(r"Dir-[0-9]{3}", re.ASCII)
_LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class IdTree:
    """A tree of files that are named by the ids of one table.

    :param directory: below the data directory
    :param kind: of a plain file
    """

    directory: str
    table: str
    kind: Kind

    def names_of(self, ids: str) -> set[str]:
        """The names that belong to ids.

        :param ids: in decimal, slashes between them
        """
        names = set(ids.split("/"))
        if self.kind is Kind.PIXELS:
            names |= {f"{one}_pyramid" for one in names}
        return names


ID_TREES = (
    IdTree("Files", "originalfile", Kind.FILE),
    IdTree("Pixels", "pixels", Kind.PIXELS),
    IdTree("Thumbnails", "thumbnail", Kind.THUMBNAIL),
)


def meaning(tree: IdTree, name: str) -> tuple[Kind, int] | None:
    """Kind and id of a name; ``None`` if the server makes no such names in that tree."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    what = str(match.lastgroup)
    number = int(match[what])
    if number > _LARGEST_ID or (what in ("pyramid", "lock", "part") and tree.kind is not Kind.PIXELS):
        return None
    kinds = {"plain": tree.kind, "pyramid": Kind.PYRAMID, "lock": Kind.LOCK}
    return kinds.get(what, Kind.TEMPORARY), number


def is_group(name: str) -> bool:
    """Whether a directory holds the files of a thousand ids."""
    return _GROUP.fullmatch(name) is not None


def is_temporary(name: str) -> bool:
    """Whether a file of the managed repository is one that is still being written, by its name."""
    return name.startswith(".") and name.endswith((".part", ".tmp"))
