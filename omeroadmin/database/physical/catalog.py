"""The backups in a pgBackRest repository: read from its answer, chosen by time, expired by need. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from omeroadmin.errors import configuration_error, failed_error
from omeroadmin.system.clock import utc_stamp

KINDS = ("full", "diff", "incr")
"""pgBackRest's kinds: all of the cluster, what changed since the last full one, since the last one of any kind."""
_FULL_LABEL = 16
"""Length of ``20261128-203000F``; labels of the other kinds begin with that of their full backup."""


_LABEL = re.compile(r"\d{8}-\d{6}F")


@dataclass(frozen=True)
class PhysicalBackup:
    """A finished backup of a cluster.

    :param label: pgBackRest's name of it
    :param kind: ``full``, ``diff`` or ``incr``
    :param started: seconds since 1970
    :param stopped: seconds since 1970
    :param size: bytes of the cluster
    :param stored: bytes that this backup takes in the repository
    :param faulty: whether pgBackRest found pages with wrong checksums
    :param major: major version of PostgreSQL that made it
    :param needs: labels of the backups that it rests on
    """

    label: str
    kind: str
    started: int
    stopped: int
    size: int
    stored: int
    faulty: bool
    major: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """What a repository holds.

    :param backups: oldest first
    :param exists: whether the repository knows the cluster at all
    :param message: pgBackRest's word on its state, e.g. ``ok``, ``no valid backups``
    :param newest_segment: name of the last archived segment; empty without one
    """

    backups: tuple[PhysicalBackup, ...]
    exists: bool
    message: str
    newest_segment: str = ""


def read_catalog(text: str, stanza: str) -> Catalog:
    """The catalog in the answer to ``pgbackrest info --output=json``.

    :raises AdminError: ``physical-answer-invalid``
    """
    try:
        found = [item for item in json.loads(text) if item["name"] == stanza]
        if not found:
            return Catalog((), False, "missing stanza path")
        document = found[0]
        status = document["status"]
        versions = {item["id"]: int(str(item["version"]).partition(".")[0]) for item in document.get("db", ())}
        backups = [_backup(item, versions[item["database"]["id"]]) for item in document.get("backup", ())]
        segments = [str(item["max"]) for item in document.get("archive", ()) if item.get("max")]
        # 0: all is well, 2: no backup yet; others: the stanza isn't there or can't be read.
        exists = status["code"] in (0, 2)
        return Catalog(tuple(backups), exists, str(status["message"]), segments[-1] if segments else "")
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise failed_error(
            "physical-answer-invalid", f"pgBackRest's answer can't be understood ({error!r})", "run: pgbackrest info"
        ) from error


def _backup(item: dict[str, Any], major: int) -> PhysicalBackup:
    times, sizes = item["timestamp"], item["info"]
    return PhysicalBackup(
        str(item["label"]),
        str(item["type"]),
        int(times["start"]),
        int(times["stop"]),
        int(sizes["size"]),
        int(sizes["repository"]["delta"]),
        bool(item.get("error")),
        major,
        tuple(map(str, item.get("reference") or ())),
    )


def choose(backups: Sequence[PhysicalBackup], moment: datetime | None) -> PhysicalBackup:
    """The backup that recovery to a moment begins with: the newest that was finished before.

    :param moment: ``None``: the end of the archive
    :raises AdminError: ``moment-too-early``, ``physical-missing``
    """
    if not backups:
        raise configuration_error(
            "physical-missing", "there is no physical backup", "take one: omero backup create --physical"
        )
    # pgBackRest counts whole seconds, rounded down: what stopped within the second may not be usable yet.
    fitting = [item for item in backups if moment is None or item.stopped + 1 <= moment.timestamp()]
    if fitting:
        return max(fitting, key=lambda item: (item.stopped, item.label))
    first = min(item.stopped for item in backups) + 1
    raise configuration_error(
        "moment-too-early",
        f"{utc_stamp(moment) if moment else ''} is before the first physical backup was finished",
        f"the earliest moment is {utc_stamp(datetime.fromtimestamp(first, UTC))}",
    )


def reaches(backups: Sequence[PhysicalBackup], moment: datetime) -> bool:
    """Whether a backup that was begun after a moment proves that the archive holds all up to it.

    pgBackRest counts whole seconds, rounded down: one that was begun in the moment's own second was begun after a
    moment without a fraction, as people write them.
    """
    return any(item.started >= moment.timestamp() for item in backups)


def next_kind(backups: Sequence[PhysicalBackup], now: float, full_days: float) -> str:
    """Kind of the next backup: full where the last full one is too old, else what changed since that.

    :param now: seconds since 1970
    :param full_days: days between full backups
    """
    newest = max((item.started for item in backups if item.kind == "full"), default=None)
    return "full" if newest is None or now - newest >= full_days * 86400 else "diff"


def full_backups_to_keep(backups: Sequence[PhysicalBackup], wanted: Collection[str]) -> int:
    """How many full backups must stay, counted from the newest, for all wanted labels; one at least.

    :param wanted: labels that snapshots name
    """
    full = sorted((item.label for item in backups if item.kind == "full"), reverse=True)
    needed = {label[:_FULL_LABEL] for label in wanted}
    positions = [number for number, label in enumerate(full, start=1) if label in needed]
    return max(positions, default=1)


@dataclass(frozen=True)
class RepositoryFault:
    """What pgBackRest's verification found wrong with one part of a repository.

    :param part: label of a backup; or the archive's name, ``15-1``
    :param message: how much of it, of what kind
    """

    part: str
    message: str

    def concerns(self, labels: Collection[str]) -> bool:
        """Whether this is about one of some backups, or about the archive, which all need."""
        return _LABEL.match(self.part) is None or self.part in labels


def read_report(text: str) -> list[RepositoryFault]:
    """Faults in the answer to ``pgbackrest verify --output=text``, which says nothing where nothing is wrong."""
    faults: list[RepositoryFault] = []
    part, checked = "", ""
    for line in text.splitlines():
        words = line.strip()
        if words.startswith(("archiveId:", "backup:")):
            part, _, checked = words.partition(":")[2].strip().partition(", ")
        elif line.startswith("    ") and part and any(count != "0" for count in _counts(words)):
            faults.append(RepositoryFault(part, f"{words} ({checked})"))
        elif words.startswith("status: error") and not part:
            faults.append(RepositoryFault("", words))
    # The status of all stands first; it matters only where nothing more is said.
    return [fault for fault in faults if fault.part] or faults


def _counts(words: str) -> list[str]:
    return [word.rpartition(":")[2].strip() for word in words.split(",")]
