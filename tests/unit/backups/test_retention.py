"""Which snapshots a policy keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omeroadmin.backups.retention import Candidate, Policy, decide
from omeroadmin.errors import AdminError

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
MOMENTS = st.lists(
    st.integers(0, 60 * 24 * 800).map(lambda minutes: NOW - timedelta(minutes=minutes)), unique=True, max_size=40
)
COUNTS = st.integers(0, 5)
POLICIES = st.builds(Policy, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)


def candidate(moment: datetime, *, good: bool | None = True, tag: str = "", verified: bool = False) -> Candidate:
    """A snapshot begun at a moment."""
    return Candidate(f"{moment:%Y%m%dT%H%M%SZ}-000000", moment, good, tag, verified)


def kept(candidates: list[Candidate], policy: Policy) -> list[datetime]:
    """Moments of those that stay, newest first."""
    return [decision.candidate.moment for decision in reversed(decide(candidates, policy)) if decision.keep]


def test_a_fortnight_of_hours() -> None:
    hours = [candidate(NOW - timedelta(hours=number)) for number in range(24 * 14)]
    moments = kept(hours, Policy(last=2, hourly=3, daily=3))
    ends = [datetime(2026, 11, day, 23, 30, tzinfo=UTC) for day in (27, 26)]
    assert moments == [NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=2), *ends]


def test_weeks_are_those_of_the_calendar() -> None:
    # 2026-11-29 is a Sunday.
    days = [candidate(datetime(2026, 11, 29, 1, tzinfo=UTC) - timedelta(days=number)) for number in range(30)]
    assert [moment.strftime("%a %d") for moment in kept(days, Policy(weekly=3))] == ["Sun 29", "Sun 22", "Sun 15"]


def test_gaps_do_not_count() -> None:
    moments = [NOW, NOW - timedelta(days=90), NOW - timedelta(days=400)]
    assert kept([candidate(moment) for moment in moments], Policy(daily=3)) == moments


def test_tags_and_verified_ones_stay() -> None:
    old = candidate(NOW - timedelta(days=3000), tag="before-upgrade")
    proven = candidate(NOW - timedelta(days=2000), verified=True)
    older = candidate(NOW - timedelta(days=2500), verified=True)
    decisions = {
        decision.candidate: decision
        for decision in decide([old, proven, older, candidate(NOW)], Policy(last=1, tags=("before-upgrade",)))
    }
    assert decisions[old].reasons == ("tag before-upgrade",)
    assert decisions[proven].reasons == ("newest verified",)
    assert not decisions[older].keep


def test_what_cannot_be_read_stays() -> None:
    unknown = candidate(NOW - timedelta(days=1), good=None)
    assert decide([unknown, candidate(NOW)], Policy(last=1))[0].keep


def test_a_tag_keeps_inconsistent_ones_too() -> None:
    bad = candidate(NOW - timedelta(days=1), good=False, tag="evidence")
    assert decide([bad, candidate(NOW)], Policy(last=1, tags=("evidence",)))[0].keep


def test_bad_ones_go_once_a_good_one_is_newer() -> None:
    bad = candidate(NOW - timedelta(days=1), good=False)
    assert not decide([bad, candidate(NOW)], Policy(last=10))[0].keep
    later = candidate(NOW + timedelta(days=1), good=False)
    assert decide([candidate(NOW), later], Policy(last=1))[1].keep
    assert all(decision.keep for decision in decide([bad, later], Policy(last=1)))


def test_a_policy_that_keeps_nothing_is_refused() -> None:
    with pytest.raises(AdminError) as caught:
        Policy().require()
    assert caught.value.code == "retention-missing"
    assert Policy(tags=("x",)).require()


@given(moments=MOMENTS, policy=POLICIES)
def test_each_rule_keeps_as_many_as_it_says_and_the_newest_of_each(moments: list[datetime], policy: Policy) -> None:
    decisions = decide([candidate(moment) for moment in moments], policy)
    assert [decision.candidate.moment for decision in decisions] == sorted(moments)
    for rule, form in {
        "hourly": "%Y%j%H",
        "daily": "%Y%j",
        "weekly": "%G%V",
        "monthly": "%Y%m",
        "yearly": "%Y",
    }.items():
        periods = {moment.strftime(form) for moment in moments}
        mine = [decision.candidate.moment for decision in decisions if rule in decision.reasons]
        assert len(mine) == min(getattr(policy, rule), len(periods))
        assert all(moment == max(other for other in moments if other.strftime(form) == moment.strftime(form))
                   for moment in mine)  # fmt: skip
        assert {moment.strftime(form) for moment in mine} == set(sorted(periods)[len(periods) - len(mine) :])
    assert not moments or decisions[-1].keep


@given(moments=MOMENTS, policy=POLICIES, data=st.data())
def test_a_second_prune_removes_nothing(moments: list[datetime], policy: Policy, data: st.DataObject) -> None:
    goods = st.sampled_from([True, False, None])
    candidates = [candidate(moment, good=data.draw(goods), verified=data.draw(st.booleans())) for moment in moments]
    left = [decision.candidate for decision in decide(candidates, policy) if decision.keep]
    assert all(decision.keep for decision in decide(left, policy))
    assert any(one.good for one in left) == any(one.good for one in candidates)
