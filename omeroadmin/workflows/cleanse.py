"""Finds what no row of the database names in the repository, and moves it out of the way, or back: ``admin cleanse``.

Files and database are looked at directly, so it works for any OMERO, running or stopped. What is found is asked for
once more in the transaction in which it is moved, under the lock that servers remove files under.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omeroadmin.database import stored
from omeroadmin.database.connection import DatabaseAddress, check_version, connect
from omeroadmin.database.holds import try_removals
from omeroadmin.database.script import SchemaVersion
from omeroadmin.errors import AdminError, configuration_error, locked_error, usage_error
from omeroadmin.repository.orphans import journal
from omeroadmin.repository.orphans.below import open_root
from omeroadmin.repository.orphans.findings import Candidate, Horizon, Kind
from omeroadmin.repository.orphans.quarantine import PLACE, Quarantine
from omeroadmin.schema.instance import Instance
from omeroadmin.schema.settings import Settings
from omeroadmin.system import files, locks
from omeroadmin.system.clock import utc_now, utc_stamp, wait_until
from omeroadmin.workflows.backup_scope import database_up
from omeroadmin.workflows.cleanse_find import TREES, Findings, Problems, Search, Sum, batches, named_now, new_spool
from omeroadmin.workflows.cleanse_scope import DATA, MANAGED, MANAGED_DIRECTORY, Scope, find_horizon, find_scope
from omeroadmin.workflows.reporter import SILENT, Reporter

if TYPE_CHECKING:
    from psycopg import Connection

_WAIT_SECONDS = 60.0
"""For backups and servers that hold removals."""


@dataclass(frozen=True)
class CleanseWish:
    """What was asked for.

    :param directory: data directory; ``None``: as ``omero.data.dir`` says
    :param trees: of :data:`TREES`; empty: all
    :param min_age: seconds that files must be old
    :param quarantine: where quarantines are; ``None``: in the repository
    :param delete: whether what is found is removed for good
    :param may_write: whether anything is going to be moved
    """

    instance: Instance
    settings: Settings
    directory: Path | None = None
    trees: tuple[str, ...] = ()
    min_age: float = 0.0
    quarantine: Path | None = None
    delete: bool = False
    may_write: bool = True


@dataclass
class Outcome:
    """What was done.

    :param id: of the quarantine; empty where there is none
    :param filesets: that were removed
    """

    id: str = ""
    sums: dict[Kind, Sum] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    directory: Path | None = None
    filesets: int = 0

    def add(self, kind: Kind, size: int) -> None:
        """Count one thing."""
        total = self.sums.setdefault(kind, Sum())
        total.count += 1
        total.size += size


@dataclass
class Cleansing:
    """A cleanse under way.

    :param current: connection in autocommit mode
    :param roots: descriptors of the roots by name
    """

    wish: CleanseWish
    scope: Scope
    current: Connection[Any]
    roots: dict[str, int]
    stack: contextlib.ExitStack
    reporter: Reporter = SILENT
    horizon: Horizon | None = None

    def find(self) -> Findings:
        """Look for everything; nothing is changed.

        :raises AdminError: ``marker-invalid``, ``file-not-read``
        """
        wish = self.wish
        findings = Findings(new_spool(self.stack))
        self.horizon = find_horizon(self.current, self.scope, min_age=wish.min_age, may_write=wish.may_write)
        with connect(DatabaseAddress.from_settings(wish.settings), autocommit=True) as view:
            stored.take_view(view)
            trees = wish.trees or TREES
            Search(view, self.current, self.scope, self.roots, self.horizon, trees).run(findings)
            if MANAGED_DIRECTORY in trees:
                before, stale = (
                    datetime.fromtimestamp(moment / 1e9, UTC)
                    for moment in (self.horizon.young_ns, self.horizon.stale_ns)
                )
                findings.filesets = stored.empty_filesets(view, before, stale)
        return findings

    def carry_out(self, findings: Findings) -> Outcome:
        """Move what was found, if still no row names it, into a new quarantine, or for good.

        :raises AdminError: ``removals-held``, ``file-not-written``, ``directory-not-created``
        """
        outcome = Outcome()
        if not findings.count:
            return outcome
        place = quarantine_place(self.scope, self.wish.quarantine)
        quarantine = _new_quarantine(place, self.scope, self.roots, is_outside=self.wish.quarantine is not None)
        outcome.id, outcome.directory = quarantine.id, quarantine.directory
        try:
            self._move_all(quarantine, findings, outcome)
        except AdminError as error:
            if outcome.sums:
                error.hint += f"; put back what was moved before: omero admin cleanse --restore {quarantine.id}"
            else:
                _discard(quarantine)
            raise
        if self.wish.delete or not outcome.sums:
            quarantine.discard()
            outcome.id, outcome.directory = "", None
        return outcome

    def _move_all(self, quarantine: Quarantine, findings: Findings, outcome: Outcome) -> None:
        done = 0
        for batch in batches(findings.spool):
            self._move(quarantine, batch, outcome)
            done += len(batch)
            self.reporter.progress(f"{done} of {findings.count}")

    def _move(self, quarantine: Quarantine, batch: Sequence[Candidate], outcome: Outcome) -> None:
        with _removing(self.current):
            named = named_now(self.current, self.scope, batch)
            orphans = [candidate for number, candidate in enumerate(batch) if number not in named]
            for one in quarantine.move(orphans):
                if isinstance(one, Candidate):
                    outcome.add(one.kind, one.size)
                else:
                    outcome.problems.add(one)


@contextlib.contextmanager
def cleansing(wish: CleanseWish, reporter: Reporter = SILENT) -> Iterator[Cleansing]:
    """Everything that a cleanse needs, held until the block ends.

    :raises AdminError: ``locked``, ``cleansed-by-root``, as :func:`find_scope`, ``database-version`` and those of the
        database
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(database_up(wish.instance, wish.settings))
        address = DatabaseAddress.from_settings(wish.settings)
        current = stack.enter_context(connect(address, autocommit=True))
        check_version(current, SchemaVersion.from_settings(wish.settings))
        scope = find_scope(current, wish.settings, wish.directory)
        if wish.may_write:
            _refuse_root(scope)
            stack.enter_context(_locked(scope))
        roots = {name: stack.enter_context(open_root(root)) for name, root in scope.roots.items()}
        yield Cleansing(wish, scope, current, roots, stack, reporter)


def _refuse_root(scope: Scope) -> None:
    """A quarantine of root's would be closed to the account that the server runs as.

    :raises AdminError: ``cleansed-by-root``
    """
    owner = scope.data.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise configuration_error(
            "cleansed-by-root",
            f"{scope.data} belongs to user {owner}, and this is root",
            f"run it as its owner: runuser -u $(id -nu {owner}) -- omero admin cleanse",
        )


def restore_quarantine(wish: CleanseWish, quarantine_id: str) -> Outcome:
    """Put back what a cleanse moved; what has no place any more stays in quarantine.

    :param quarantine_id: its name
    :raises AdminError: ``quarantine-missing``, ``quarantine-damaged``, ``quarantine-foreign``, as :func:`cleansing`
    """
    with cleansing(wish) as run:
        quarantine = _find_quarantine(run, quarantine_id)
        outcome = Outcome(quarantine.id, directory=quarantine.directory)
        with _removing(run.current):
            for one in quarantine.restore():
                if isinstance(one, journal.Moved):
                    outcome.add(one.kind, one.size)
                else:
                    outcome.problems.add(one)
        if not outcome.problems.count:
            _discard(quarantine)
        return outcome


def purge_quarantines(wish: CleanseWish, quarantine_id: str = "") -> list[Outcome]:
    """Remove quarantines for good, with all that is in them.

    :param quarantine_id: the one that is meant; empty: all that are older than ``min_age``
    :raises AdminError: ``quarantine-missing``, ``quarantine-damaged``, ``quarantine-foreign``, ``file-not-written``
    """
    done = []
    with cleansing(wish) as run:
        for one in quarantines(run):
            begun = datetime.fromisoformat(str(journal.read_header(one.directory)["begun"]))
            if one.id == quarantine_id or (not quarantine_id and begun <= utc_now() - timedelta(seconds=wish.min_age)):
                outcome = Outcome(one.id)
                count, size = _discard(one)
                outcome.sums[Kind.FILE] = Sum(count, size)
                done.append(outcome)
        if quarantine_id and not done:
            raise _missing(run, quarantine_id)
    return done


def quarantines(run: Cleansing) -> list[Quarantine]:
    """Quarantines of this database, oldest first.

    :raises AdminError: ``quarantine-damaged``
    """
    place = quarantine_place(run.scope, run.wish.quarantine)
    found = []
    for directory in sorted(place.iterdir()) if place.is_dir() else ():
        if not (directory / journal.NAME).is_file():
            continue
        if journal.read_header(directory)["database"] == run.scope.database_uuid:
            found.append(Quarantine(directory, run.roots, run.wish.quarantine is not None))
    return found


def quarantine_place(scope: Scope, chosen: Path | None) -> Path:
    """The directory of quarantines."""
    return scope.data / PLACE if chosen is None else chosen.absolute()


def _find_quarantine(run: Cleansing, quarantine_id: str) -> Quarantine:
    for one in quarantines(run):
        if one.id == quarantine_id:
            return one
    raise _missing(run, quarantine_id)


def _missing(run: Cleansing, quarantine_id: str) -> Exception:
    known = ", ".join(one.id for one in quarantines(run)) or "none"
    place = quarantine_place(run.scope, run.wish.quarantine)
    return usage_error(
        "quarantine-missing", f"there is no quarantine {quarantine_id[:80]!r} in {place}", f"known: {known}"
    )


def _discard(quarantine: Quarantine) -> tuple[int, int]:
    try:
        return quarantine.discard()
    except OSError as error:
        raise files.file_error("written", quarantine.directory, error) from error


def _new_quarantine(place: Path, scope: Scope, roots: dict[str, int], *, is_outside: bool) -> Quarantine:
    files.make_directory(place, mode=0o700)
    _remove_unbegun(place)
    moment = utc_now()
    for number in range(100):
        directory = place / f"{moment:%Y%m%dT%H%M%SZ}{f'-{number}' if number else ''}"
        with contextlib.suppress(FileExistsError):
            directory.mkdir(mode=0o700)
            break
    journal.write_header(directory, {"database": scope.database_uuid, "begun": utc_stamp(moment)})
    return Quarantine(directory, roots, is_outside)


def _remove_unbegun(place: Path) -> None:
    """Remove directories of runs that were killed before their journal began: there is nothing in them."""
    for directory in place.iterdir():
        if directory.is_dir() and not (directory / journal.NAME).exists():
            with contextlib.suppress(OSError):
                for leftover in directory.glob(f".{journal.NAME}.*.tmp"):
                    leftover.unlink()
                directory.rmdir()


@contextlib.contextmanager
def _removing(connection: Connection[Any]) -> Iterator[None]:
    """Be the only one who removes files; wait for backups and servers that are at it.

    :raises AdminError: ``removals-held``
    """
    with contextlib.ExitStack() as stack:

        def begun() -> bool:
            transaction = contextlib.ExitStack()
            transaction.enter_context(connection.transaction())
            if try_removals(connection):
                stack.push(transaction)
                return True
            transaction.close()
            return False

        if not wait_until(begun, timeout=_WAIT_SECONDS):
            raise locked_error(
                "removals-held",
                f"a backup or a server has held files of the repository for {_WAIT_SECONDS:.0f} s",
                "nothing more was moved; try again when the backup is complete",
            )
        yield


@contextlib.contextmanager
def _locked(scope: Scope) -> Iterator[None]:
    place = scope.data / PLACE
    files.make_directory(place, mode=0o700)
    with locks.exclusive(place / ".lock", what=f"cleanse of {scope.data}", timeout=2.0):
        yield


__all__ = ["DATA", "MANAGED", "CleanseWish", "Cleansing", "cleansing"]
