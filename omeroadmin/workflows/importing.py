"""Imports files and folders: finds them, puts together what belongs together, leaves out what the server has, sends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from omeroadmin.access.client import Client
from omeroadmin.access.keepalive import KeepAlive
from omeroadmin.access.known import known_names, known_paths
from omeroadmin.access.transfer import Checksums, Imported, Order, import_fileset
from omeroadmin.access.walk import Candidate, Found, find_files
from omeroadmin.errors import AdminError
from omeroadmin.repository.checksums import new_hasher
from omeroadmin.workflows.import_groups import FileGroup, group_files
from omeroadmin.workflows.import_options import ImportOptions
from omeroadmin.workflows.import_targets import Named, Targets

STOPPING_CODES = frozenset({"server-unreachable", "certificate-untrusted", "session-expired"})
"""Errors after which no further file can succeed."""


@dataclass(frozen=True)
class Task:
    """A fileset to import, and how."""

    group: FileGroup
    options: ImportOptions


@dataclass(frozen=True)
class Prepared:
    """What there is to import.

    :param found: what walks came across
    :param ignored: files of folders that are no images
    :param problems: what can't be read or can't be an image, one error each
    """

    tasks: tuple[Task, ...]
    found: tuple[Found, ...]
    ignored: tuple[Path, ...] = ()
    problems: tuple[tuple[Path, AdminError], ...] = ()


@dataclass(frozen=True)
class FailedFile:
    """A file that is not on the server.

    :param code: code of the error
    :param message: what went wrong, without the path
    """

    path: Path
    code: str
    message: str


@dataclass(frozen=True)
class ImportResult:
    """What became of each fileset, by its first file.

    :param skipped: files that the server had
    :param failed: files that can't be read or weren't taken
    :param not_tried: files left when the import stopped early
    :param seconds: how long it took
    """

    imported: tuple[Imported, ...]
    skipped: tuple[Path, ...]
    failed: tuple[FailedFile, ...]
    not_tried: tuple[Path, ...]
    seconds: float


@dataclass(frozen=True)
class Watcher:
    """Hears of an import's progress, one call at a time.

    :param starts: so many bytes are to be sent in all
    :param begins: a fileset is about to be sent
    :param sent: so many more bytes of a file are on the way
    :param done: it is on the server
    :param fails: a file is not
    """

    starts: Callable[[int], object]
    begins: Callable[[FileGroup], object]
    sent: Callable[[FileGroup, int], object]
    done: Callable[[FileGroup, Imported], object]
    fails: Callable[[FailedFile, FileGroup | None], object]


def prepare(jobs: Sequence[tuple[Sequence[Path], ImportOptions]]) -> Prepared:
    """Look for the files of some imports, each with options of its own.

    :raises AdminError: ``path-missing`` where there is one import only; of several, the others go on
    """
    tasks: list[Task] = []
    founds: list[Found] = []
    ignored: list[Path] = []
    problems: list[tuple[Path, AdminError]] = []
    for paths, options in jobs:
        try:
            found = find_files(list(paths), depth=options.depth)
        except AdminError as error:
            if len(jobs) == 1:
                raise
            problems.append((paths[0], error))
            continue
        named = [Path(path).absolute() for path in paths]
        grouped = group_files(found, named)
        founds.append(found)
        tasks += [Task(group, options) for group in grouped.groups]
        ignored += grouped.ignored
        problems += [*found.problems, *grouped.problems]
    return Prepared(tuple(tasks), tuple(founds), tuple(ignored), tuple(problems))


def import_files(
    client: Client, prepared: Prepared, watcher: Watcher, *, idle_seconds: float, filesets: int, keep_going: bool
) -> ImportResult:
    """Import filesets; one that fails doesn't stop the others, unless that is wanted.

    :param idle_seconds: seconds without a request after which the session ends; 0: never
    :param filesets: how many are on their way at once
    :param keep_going: whether to go on after a failure
    :raises AdminError: what :meth:`Client.get` raises, and what is wrong with a target or an annotation, before the
        first file only
    """
    began = time.monotonic()
    known = _known(client, prepared.tasks)
    tasks = [task for task in prepared.tasks if task.group.main.path not in known]
    targets = Targets()
    for task in tasks:
        if isinstance(task.options.target, Named):
            # A target that is wrong is wrong for all: nothing is sent then.
            targets.find(client, task.options.target, task.group.main.path.parent, is_plate=task.group.is_plate)
    for number in sorted({number for task in tasks for number in task.options.annotation_ids}):
        client.get(f"/objects/Annotation/{number}")
    run = _Run(client, watcher, targets, keep_going)
    for path, error in prepared.problems:
        run.fail(path, error)
    watcher.starts(sum(task.group.size for task in tasks))
    with KeepAlive(client.again(), idle_seconds / 3):
        run.all(tasks, filesets)
    skipped = tuple(task.group.main.path for task in prepared.tasks if task.group.main.path in known)
    return ImportResult(tuple(run.imported), skipped, tuple(run.failed), tuple(run.not_tried), time.monotonic() - began)


def _known(client: Client, tasks: Sequence[Task]) -> set[Path]:
    """First files of the filesets that the server has, as far as their options want that looked at."""
    by_path = [task.group.main.path for task in tasks if task.options.exclude == "clientpath"]
    by_name = [task.group.main.path for task in tasks if task.options.exclude == "filename"]
    known = known_paths(client, by_path) if by_path else set()
    if by_name:
        names = known_names(client, sorted({path.name for path in by_name}))
        known |= {path for path in by_name if path.name in names}
    return known


@dataclass
class _Run:
    client: Client
    watcher: Watcher
    targets: Targets
    keep_going: bool
    imported: list[Imported] = field(default_factory=list)
    failed: list[FailedFile] = field(default_factory=list)
    not_tried: list[Path] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: bool = False
    clients: threading.local = field(default_factory=threading.local)

    def all(self, tasks: Sequence[Task], filesets: int) -> None:
        if not self.keep_going and self.failed:
            self.stopped = True
        if filesets < 2:
            for task in tasks:
                self.one(self.client, task)
            return
        own: list[Client] = []

        def run(task: Task) -> None:
            if not hasattr(self.clients, "client"):
                self.clients.client = self.client.again()
                own.append(self.clients.client)
            self.one(self.clients.client, task)

        with ThreadPoolExecutor(min(filesets, max(1, len(tasks)))) as pool:
            try:
                for future in [pool.submit(run, task) for task in tasks]:
                    future.result()
            except BaseException:
                # What is under way comes to its end, the rest isn't begun.
                self.stopped = True
                raise
        for client in own:
            client.close()

    def one(self, client: Client, task: Task) -> None:
        """Import one fileset, unless the run is to stop."""
        group = task.group
        with self.lock:
            if self.stopped:
                self.not_tried.append(group.main.path)
                return
            self.watcher.begins(group)

        def progress(_: Candidate, count: int) -> None:
            with self.lock:
                self.watcher.sent(group, count)

        try:
            order = self._order(client, task)
            checksums = Checksums(task.options.algorithms, new_hasher)
            done = import_fileset(client, group.files, checksums, order, progress)
        except AdminError as error:
            self.fail(group.main.path, error, group)
        else:
            with self.lock:
                self.imported.append(done)
                self.watcher.done(group, done)

    def _order(self, client: Client, task: Task) -> Order:
        options, group = task.options, task.group
        target = None
        if options.target is not None:
            target = self.targets.find(client, options.target, group.main.path.parent, is_plate=group.is_plate)
        return Order(
            name=options.name,
            description=options.description,
            transfer=options.transfer,
            target=target,
            comments=options.comments,
            annotation_ids=options.annotation_ids,
            skip=options.left_out,
            uploads=options.uploads,
        )

    def fail(self, path: Path, error: AdminError, group: FileGroup | None = None) -> None:
        failure = FailedFile(path, error.code, error.message.removeprefix(f"{self.client.address}: "))
        with self.lock:
            self.failed.append(failure)
            self.watcher.fails(failure, group)
            if error.code in STOPPING_CODES or not self.keep_going:
                self.stopped = True
