"""``backup prune``: what goes by the policy, and its removal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from omeroadmin.backups.engines.engine import Engine, Removed
from omeroadmin.backups.retention import Candidate, Decision, Policy, decide
from omeroadmin.backups.store import Listed, list_snapshots
from omeroadmin.schema.settings import Settings
from omeroadmin.workflows.backup_physical import expire_physical
from omeroadmin.workflows.backup_target import open_target


@dataclass(frozen=True)
class PruneWish:
    """What was asked for.

    :param target: the option's address; ``None``: that of ``omero.backup.target``
    """

    settings: Settings | None
    target: str | Path | None
    policy: Policy


@dataclass(frozen=True)
class PrunePlan:
    """What would become of the snapshots.

    :param target: the target's address
    :param preview: what the removal would free
    """

    target: str
    decisions: tuple[Decision, ...]
    preview: Removed

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the snapshots that go; those in use stay until a later prune."""
        return self.preview.snapshots

    @property
    def is_empty(self) -> bool:
        """Whether nothing would go, not even contents that a killed prune has left."""
        return not self.ids and not self.preview.contents and not self.preview.kept_because


def plan_prune(wish: PruneWish) -> PrunePlan:
    """Decide what goes.

    :raises AdminError: ``retention-missing``, ``backup-target-unset``, ``backup-target-missing``
    """
    policy = wish.policy.require()
    with open_target(wish.settings, wish.target) as engine:
        decisions = _decisions(engine, policy)
        return PrunePlan(engine.address, decisions, engine.remove(_going(decisions), dry_run=True))


def prune(wish: PruneWish, agreed: PrunePlan) -> Removed:
    """Remove what was agreed to go, as long as the policy still lets it go, and what nothing needs any more.

    That is contents of files, and physical backups that are older than all which snapshots name.

    :raises AdminError: as :func:`plan_prune`, ``locked``, ``file-not-removed``, and as
        :func:`omeroadmin.workflows.backup_physical.expire_physical`
    """
    policy = wish.policy.require()
    with open_target(wish.settings, wish.target) as engine, engine.locked():
        still = set(_going(_decisions(engine, policy)))
        removed = engine.remove(tuple(name for name in agreed.ids if name in still))
        expire_physical(engine)
        return replace(removed, in_use=(*agreed.preview.in_use, *removed.in_use))


def _decisions(engine: Engine, policy: Policy) -> tuple[Decision, ...]:
    return decide((_candidate(listed) for listed in list_snapshots(engine)), policy)


def _candidate(listed: Listed) -> Candidate:
    snapshot = listed.snapshot
    # Days end at midnight where the admin is, not in Greenwich. The id tells the moment of damaged ones, too.
    moment = datetime.strptime(listed.id[:16] + "+0000", "%Y%m%dT%H%M%SZ%z").astimezone()
    if snapshot is None:
        return Candidate(listed.id, moment, good=None)
    return Candidate(listed.id, moment, snapshot.consistent, snapshot.tag, listed.verified is not None)


def _going(decisions: tuple[Decision, ...]) -> tuple[str, ...]:
    return tuple(decision.candidate.id for decision in decisions if not decision.keep)
