"""Looks for what no row names: a walk beside the database's rows, and a second question for whatever is found."""

from __future__ import annotations

import itertools
import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from omeroadmin.database import stored
from omeroadmin.database.stored import EmptyFileset
from omeroadmin.repository.orphans.below import open_child
from omeroadmin.repository.orphans.findings import Candidate, Horizon, Kind, Problem, Seen
from omeroadmin.repository.orphans.named import NamedDirectories, NamedDirectory
from omeroadmin.repository.orphans.names import ID_TREES
from omeroadmin.repository.orphans.trees import IdWalk, ManagedWalk
from omeroadmin.repository.orphans.walk import Found, Walk
from omeroadmin.workflows.cleanse_scope import DATA, MANAGED, MANAGED_DIRECTORY, Scope

if TYPE_CHECKING:
    from psycopg import Connection

TREES = (*(tree.directory for tree in ID_TREES), MANAGED_DIRECTORY)
"""What is looked through; everything else in a data directory is never touched."""

BATCH = 2000
"""Candidates that are asked for, and moved, at a time."""
_KEPT = 1000


@dataclass
class Sum:
    """How many of one kind, and their bytes."""

    count: int = 0
    size: int = 0


@dataclass
class Problems:
    """Problems: all counted, the first ones kept."""

    kept: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, problem: Problem) -> None:
        """Count one."""
        self.count += 1
        if len(self.kept) < _KEPT:
            self.kept.append(problem)


class Spool:
    """Candidates put aside in a file without a name, because there may be millions."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def add(self, candidates: Iterable[Candidate]) -> None:
        """Put some aside."""
        self._stream.writelines(json.dumps(candidate).encode() + b"\n" for candidate in candidates)

    def __iter__(self) -> Iterator[Candidate]:
        """All of them, in their order."""
        self._stream.seek(0)
        for line in self._stream:
            kind, *values = json.loads(line)
            yield Candidate(Kind(kind), *values)


@dataclass
class Findings:
    """What was found.

    :param sums: by kind
    :param named: candidates that a row named after all: where OMERO doesn't look for them, or since the view was taken
    :param filesets: those without images
    """

    spool: Spool
    sums: dict[Kind, Sum] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    seen: Seen = field(default_factory=Seen)
    named: int = 0
    filesets: Sequence[EmptyFileset] = ()

    @property
    def count(self) -> int:
        """Number of all."""
        return sum(one.count for one in self.sums.values())

    @property
    def size(self) -> int:
        """Bytes of all."""
        return sum(one.size for one in self.sums.values())

    def add(self, candidates: Sequence[Candidate]) -> None:
        """Take orphans."""
        for candidate in candidates:
            total = self.sums.setdefault(candidate.kind, Sum())
            total.count += 1
            total.size += candidate.size
        self.spool.add(candidates)


@dataclass(frozen=True)
class Search:
    """A search in the making.

    :param view: connection whose transaction sees one moment
    :param current: connection in autocommit mode, for the second question
    :param roots: descriptors of the roots by name
    """

    view: Connection[Any]
    current: Connection[Any]
    scope: Scope
    roots: dict[str, int]
    horizon: Horizon
    trees: Sequence[str]

    def run(self, findings: Findings) -> None:
        """Find everything.

        :raises AdminError: ``file-not-read``
        """
        kept_above: set[tuple[str, str]] = set()
        found = itertools.chain.from_iterable(self._tree(name, findings) for name in self.trees)
        for batch in batches(_candidates(found, findings.problems)):
            orphans = self._orphans(batch, kept_above)
            findings.named += len(batch) - len(orphans)
            findings.add(orphans)

    def _orphans(self, batch: list[Candidate], kept_above: set[tuple[str, str]]) -> list[Candidate]:
        """Candidates that no row names now, without directories in which something stays.

        :param kept_above: directories above what stays, grows
        """
        named = named_now(self.current, self.scope, batch)
        orphans = []
        for number, candidate in enumerate(batch):
            if number in named or (candidate.root, candidate.path) in kept_above:
                parts = candidate.path.split("/")
                kept_above.update((candidate.root, "/".join(parts[:count])) for count in range(1, len(parts)))
            else:
                orphans.append(candidate)
        return orphans

    def _tree(self, name: str, findings: Findings) -> Iterator[Found]:
        if name == MANAGED_DIRECTORY:
            scope = self.scope
            rows = stored.files_by_directory(
                self.view, managed=scope.managed_uuid, public=scope.public_uuid, below=scope.below
            )
            yield from ManagedWalk(MANAGED, "", _named(rows), self.horizon, findings.seen).found(self.roots[MANAGED])
            return
        tree = next(tree for tree in ID_TREES if tree.directory == name)
        try:
            descriptor = open_child(name, self.roots[DATA])
        except FileNotFoundError:
            return
        except OSError as error:
            is_link = (self.scope.data / name).is_symlink()
            message = "is a link and was not followed" if is_link else f"can't be entered: {error.strerror}"
            yield Problem(DATA, name, message)
            return
        try:
            rows = stored.ids_by_directory(self.view, tree.table)
            walk: Walk = IdWalk(tree, _named(rows), self.horizon, findings.seen)
            yield from walk.found(descriptor)
        finally:
            os.close(descriptor)


def named_now(connection: Connection[Any], scope: Scope, batch: Sequence[Candidate]) -> set[int]:
    """Which candidates a row names at this moment.

    :return: indexes
    """
    named: set[int] = set()
    by_table: dict[str, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    places: dict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
    for number, candidate in enumerate(batch):
        if candidate.table:
            by_table[candidate.table][candidate.id].append(number)
        if not _is_utf8(candidate.path):
            continue  # no row can name it
        if candidate.root == MANAGED:
            places[(scope.managed_uuid,)].append((number, candidate.path))
            if scope.below:
                places[(scope.public_uuid,)].append((number, scope.below + candidate.path))
        else:
            places[(scope.public_uuid,)].append((number, candidate.path))
    for table, numbers in by_table.items():
        for one in stored.present_ids(connection, table, list(numbers)):
            named.update(numbers[one])
    for repositories, wanted in places.items():
        found = stored.named_places(connection, repositories, [place for _, place in wanted])
        named.update(wanted[index][0] for index in found)
    return named


def batches(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Candidates some at a time."""
    iterator = iter(candidates)
    while batch := list(itertools.islice(iterator, BATCH)):
        yield batch


def new_spool(stack: Any, directory: str | None = None) -> Spool:
    """A spool that is gone with a stack."""
    return Spool(stack.enter_context(tempfile.TemporaryFile(dir=directory)))


def _candidates(found: Iterable[Found], problems: Problems) -> Iterator[Candidate]:
    for one in found:
        if isinstance(one, Candidate):
            yield one
        else:
            problems.add(one)


def _named(rows: Iterator[tuple[str, str]]) -> NamedDirectories:
    return NamedDirectories(itertools.starmap(NamedDirectory, rows))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
