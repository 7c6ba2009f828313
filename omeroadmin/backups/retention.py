"""Which snapshots are kept: a pure function of their times and a policy, with restic's meaning of the options.

Only consistent snapshots count. Whatever the policy says, the newest of them stays, and so does the newest that was
verified: what a prune leaves must be good for a restore. What can't be read stays as well: it may be a share that is
away for a second, or a newer version's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from omeroadmin.errors import usage_error


@dataclass(frozen=True)
class Policy:
    """How many are kept. Of a day, a week and so on, it is the newest snapshot that counts.

    :param last: the newest ones, whatever their times
    :param hourly: hours, counted back from the newest that have a snapshot; and so on
    :param tags: snapshots with one of these tags stay
    """

    last: int = 0
    hourly: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0
    tags: tuple[str, ...] = ()

    def require(self) -> Policy:
        """The policy itself, if it keeps anything.

        :raises AdminError: ``retention-missing``
        """
        if not any(getattr(self, field.name) for field in fields(self)):
            raise usage_error(
                "retention-missing",
                "no option says what is kept",
                "e.g. --keep-last 3 --keep-daily 7 --keep-weekly 5 --keep-monthly 12",
            )
        return self


@dataclass(frozen=True)
class Candidate:
    """A snapshot, as far as its future depends on it.

    :param moment: when it was begun, in the time zone in which days are counted
    :param good: whether it is consistent; ``None`` where that can't be read, be it only today
    """

    id: str
    moment: datetime
    good: bool | None
    tag: str = ""
    verified: bool = False


@dataclass(frozen=True)
class Decision:
    """What becomes of a snapshot.

    :param reasons: why it is kept, or why it is not
    """

    candidate: Candidate
    keep: bool
    reasons: tuple[str, ...]


_Period = Callable[[datetime], tuple[int, ...]]
_PERIODS: tuple[tuple[str, _Period], ...] = (
    ("hourly", lambda moment: (moment.year, moment.month, moment.day, moment.hour)),
    ("daily", lambda moment: (moment.year, moment.month, moment.day)),
    ("weekly", lambda moment: tuple(moment.isocalendar()[:2])),
    ("monthly", lambda moment: (moment.year, moment.month)),
    ("yearly", lambda moment: (moment.year,)),
)


def decide(candidates: Iterable[Candidate], policy: Policy) -> tuple[Decision, ...]:
    """What becomes of each snapshot.

    :return: oldest first
    """
    newest_first = sorted(candidates, key=lambda candidate: candidate.id, reverse=True)
    good = [candidate for candidate in newest_first if candidate.good]
    reasons = _reasons(good, policy)
    for candidate in newest_first:
        if candidate.tag and candidate.tag in policy.tags:
            reasons.setdefault(candidate.id, []).append(f"tag {candidate.tag}")
    decisions = [_decision(candidate, reasons.get(candidate.id, ()), good) for candidate in newest_first]
    return tuple(reversed(decisions))


def _decision(candidate: Candidate, reasons: Sequence[str], good: Sequence[Candidate]) -> Decision:
    if reasons:
        return Decision(candidate, keep=True, reasons=tuple(reasons))
    if candidate.good is None:
        return Decision(candidate, keep=True, reasons=("can't be read",))
    if candidate.good:
        return Decision(candidate, keep=False, reasons=("no rule keeps it",))
    if not good or candidate.id > good[0].id:
        return Decision(candidate, keep=True, reasons=("not consistent, but nothing newer is",))
    return Decision(candidate, keep=False, reasons=("not consistent, and a newer one is",))


def _reasons(good: Sequence[Candidate], policy: Policy) -> dict[str, list[str]]:
    """Why snapshots are kept, by their ids.

    :param good: newest first
    """
    reasons: dict[str, list[str]] = {}

    def keep(candidate: Candidate, reason: str) -> None:
        reasons.setdefault(candidate.id, []).append(reason)

    for candidate in good[: policy.last]:
        keep(candidate, "last")
    for name, period in _PERIODS:
        for candidate in _newest_of_each(good, period)[: getattr(policy, name)]:
            keep(candidate, name)
    verified = next((candidate for candidate in good if candidate.verified), None)
    if verified is not None:
        keep(verified, "newest verified")
    if good:
        keep(good[0], "newest")
    return reasons


def _newest_of_each(good: Sequence[Candidate], period: _Period) -> list[Candidate]:
    found: dict[tuple[int, ...], Candidate] = {}
    for candidate in good:
        found.setdefault(period(candidate.moment), candidate)
    return list(found.values())
