"""Plans are made from wishes and facts alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from omeroadmin.errors import ExitStatus
from omeroadmin.provisioning.operations.catalog import complete
from omeroadmin.provisioning.rollout_plan import HostPlan, HostState, exit_status_of, plan_host
from omeroadmin.provisioning.secrets import Redactor
from omeroadmin.provisioning.wishes import HostWork, StageWork

ABSENT = {"facts": {"exists": False, "unfinished": False}}
SAME = {
    "facts": {
        "exists": True, "kind": "file", "mode": "0644", "owner": "root", "group": "root", "size": 1,
        "unfinished": False, "same": True,
    }
}  # fmt: skip


def wish(key: str, *, triggers: tuple[str, ...] = (), identifier: str = "", **fields: Any) -> dict[str, Any]:
    made = complete("file", path=f"/{key}", content="hello swordfish\n", **fields)
    return {**made, "key": key, "triggers": list(triggers), "id": identifier, "only_triggered": bool(identifier)}


def work(*wishes: dict[str, Any]) -> HostWork:
    return HostWork((StageWork("p", "p/s", undo=False, wishes=wishes, words={"a": "The first"}),))


def planned(
    found: HostWork, answers: dict[str, Any], pending: tuple[str, ...] = (), *, digest: bool = False
) -> HostPlan:
    return plan_host("h", found, answers, pending, Redactor(["swordfish"]), digest=digest)


def keys(plan: HostPlan) -> list[str]:
    return [change.key for change in plan.changes]


def test_planning_changes_nothing_that_it_is_given() -> None:
    found, answers = work(wish("a"), wish("b")), {"a": ABSENT, "b": SAME}
    before = copy.deepcopy((found, answers))
    first = planned(found, answers)
    assert planned(found, answers) == first
    assert (found, answers) == before
    assert (first.state, keys(first), first.operations) == (HostState.CHANGES, ["a"], 2)
    assert first.changes[0].name == "The first"
    assert planned(found, {"a": SAME, "b": SAME}).state is HostState.UNCHANGED


def test_secrets_are_hidden_in_differences() -> None:
    (change,) = planned(work(wish("a")), {"a": ABSENT}).changes
    assert change.diff() == ["@@ -0,0 +1 @@", "+hello ********"]


def test_triggered_operations_are_planned_if_something_triggers_them() -> None:
    found = work(wish("a", triggers=("p/z",)), wish("z", identifier="p/z"))
    assert keys(planned(found, {"a": SAME, "z": ABSENT})) == []
    assert keys(planned(found, {"a": ABSENT, "z": ABSENT})) == ["a", "z"]
    assert keys(planned(found, {"a": SAME, "z": ABSENT}, pending=("p/z",))) == ["z"]
    assert keys(planned(found, {"a": SAME, "z": ABSENT}, pending=("q/z",))) == []


def test_what_can_not_be_planned_fails_the_host_and_shows_the_rest() -> None:
    error = {"code": "host-odd", "message": "/a is odd: swordfish", "hint": ""}
    plan = planned(work(wish("a"), wish("b")), {"a": {"error": error}, "b": ABSENT})
    assert (plan.state, keys(plan)) == (HostState.FAILED, ["b"])
    assert plan.problem is not None
    assert (plan.problem.code, plan.problem.message) == ("host-odd", "/a is odd: ********")
    plan = planned(work(wish("a")), {"a": {"facts": {}}})
    assert plan.problem is not None
    assert plan.problem.code == "host-agent-fault"


def test_digests_know_facts_wishes_and_pending_triggers() -> None:
    def digest(found: HostWork, answer: dict[str, Any], *pending: str) -> str:
        return planned(found, {"a": answer}, pending, digest=True).digest

    first = digest(work(wish("a")), SAME)
    assert first == digest(work(wish("a")), copy.deepcopy(SAME))
    others = {
        digest(work(wish("a", mode="0600")), SAME),
        digest(work(wish("a")), ABSENT),
        digest(work(wish("a")), SAME, "p/z"),
    }
    assert len(others) == 3
    assert first not in others
    assert planned(work(wish("a")), {"a": SAME}).digest == ""


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ("unchanged changed", ExitStatus.DONE),
        ("unreachable changed", ExitStatus.UNREACHABLE),
        ("unreachable failed locked", ExitStatus.FAILED),
        ("unreachable locked", ExitStatus.UNREACHABLE),
        ("locked unchanged", ExitStatus.LOCKED),
        ("interrupted failed", ExitStatus.INTERRUPTED),
    ],
)
def test_the_worst_host_makes_the_status(states: str, status: ExitStatus) -> None:
    assert exit_status_of([HostState(word) for word in states.split()]) is status
