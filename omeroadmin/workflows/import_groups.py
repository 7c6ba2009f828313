"""Puts files together that belong to one image, and leaves out what is no image, before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.access.walk import Candidate, Found
from omeroadmin.errors import AdminError
from omeroadmin.repository.formats import START, Format, format_of, is_image_name, is_image_start
from omeroadmin.repository.images import COMPANION, unreadable
from omeroadmin.repository.ome_xml import OmeDocument, parse_ome_document
from omeroadmin.repository.tiff_description import embedded_ome_xml
from omeroadmin.system.files import file_error

_TIFF_STARTS = (b"II", b"MM")
_UNKNOWN_READER = "loci.formats.ImageReader"
_LONGEST_NAME = 255


@dataclass(frozen=True)
class FileGroup:
    """Files that become one fileset.

    :param files: the one that tells of the others first
    :param reader: name of the Bio-Formats reader for them
    :param is_plate: whether their metadata tells of a plate
    """

    files: tuple[Candidate, ...]
    reader: str = _UNKNOWN_READER
    is_plate: bool = False

    @property
    def main(self) -> Candidate:
        """The file that gives the fileset its name."""
        return self.files[0]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Grouped:
    """What is to be imported.

    :param ignored: files of folders that are no images
    :param problems: files that should be images and can't be, one error each
    """

    groups: tuple[FileGroup, ...]
    ignored: tuple[Path, ...] = ()
    problems: tuple[tuple[Path, AdminError], ...] = ()


@dataclass
class _Grouping:
    named: frozenset[Path]
    sizes: dict[Path, Candidate]
    groups: list[FileGroup] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)
    problems: list[tuple[Path, AdminError]] = field(default_factory=list)
    claimed: set[Path] = field(default_factory=set)

    def look_at(self, file: Candidate) -> None:
        start = b""
        with file.path.open("rb", buffering=0) as stream:
            start = stream.read(START)
        companion = file.path.name.lower().endswith(COMPANION)
        if not companion and not is_image_start(start):
            if file.path in self.named or is_image_name(file.path.name):
                raise unreadable(file.path, "unknown format" if start else "it is empty")
            self.ignored.append(file.path)
            return
        document = _document(file.path) if companion or start.startswith(_TIFF_STARTS) else None
        if document is not None and document.metadata_file:
            main = self._beside(file.path, document.metadata_file)
            if main.path not in self.claimed:
                self._add(main, _document(main.path))
        elif file.path not in self.claimed:
            self._add(file, document)
        self.claimed.add(file.path)

    def _add(self, main: Candidate, document: OmeDocument | None) -> None:
        names = [] if document is None else document.file_names()
        files = [main]
        # One name alone is that of the file itself, which may have been renamed.
        if document is not None and (len(names) > 1 or main.path.name.lower().endswith(COMPANION)):
            files += [self._beside(main.path, name) for name in names if name != main.path.name]
        self.claimed.update(file.path for file in files)
        kind = _format(main.path.name, document)
        plates = bool(document and document.plates)
        self.groups.append(FileGroup(tuple(files), kind.reader if kind else _UNKNOWN_READER, plates))

    def _beside(self, path: Path, name: str) -> Candidate:
        if name != Path(name).name or name in ("", ".", ".."):
            raise unreadable(path, f"its metadata names the file {name[:80]!r}")
        other = path.with_name(name)
        if other in self.sizes:
            return self.sizes[other]
        try:
            return Candidate(other, other.stat().st_size)
        except FileNotFoundError:
            raise unreadable(path, f"it belongs to {name[:_LONGEST_NAME]}, which is not beside it") from None


def group_files(found: Found, named: Iterable[Path]) -> Grouped:
    """Group files; each is in one group at most.

    :param named: files that were named as such: what is no image among them is a problem
    """
    grouping = _Grouping(frozenset(named), {file.path: file for file in found.files})
    companions_first = sorted(found.files, key=lambda file: not file.path.name.lower().endswith(COMPANION))
    order = {file.path: number for number, file in enumerate(found.files)}
    for file in companions_first:
        if file.path in grouping.claimed:
            continue
        try:
            grouping.look_at(file)
        except OSError as error:
            grouping.problems.append((file.path, file_error("read", file.path, error)))
        except AdminError as error:
            grouping.problems.append((file.path, error))
    grouping.groups.sort(key=lambda group: order.get(group.main.path, 0))
    grouping.problems.sort(key=lambda problem: order.get(problem[0], 0))
    return Grouped(tuple(grouping.groups), tuple(grouping.ignored), tuple(grouping.problems))


def _document(path: Path) -> OmeDocument | None:
    """The file's OME-XML; what the server will find wrong with it is left to the server."""
    text = embedded_ome_xml(path)
    if not text:
        return None
    try:
        return parse_ome_document(text)
    except AdminError:
        return None


def _format(name: str, document: OmeDocument | None) -> Format | None:
    return format_of("x.ome.tif") if document is not None and document.images else format_of(name)
